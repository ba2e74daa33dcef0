# SPDX-License-Identifier: MIT
# Links `objects` into the object `output` that shows two kinds of symbols alone: the functions that give the tables of
# kernels, and what a program has once, such as the pool of threads.
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE said)
  set(said "${said}" PARENT_SCOPE)
endfunction()

run(${linker} -r --force-group-allocation ${objects} -o ${output}.all)
run(${readelf} -sW ${output}.all)
string(REPLACE "\n" ";" lines "${said}")
set(shown "")
foreach(line IN LISTS lines)
  # Number, value, size, type, binding, visibility, section, name.
  if(NOT line MATCHES " (OBJECT|TLS|FUNC) +(WEAK|UNIQUE|GLOBAL) +[A-Z]+ +[0-9]+ ([^ ]+)$")
    continue()
  endif()
  set(type ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_3})
  if((type STREQUAL "FUNC" AND name MATCHES "^_ZN11consistency3cpu[0-9]+[a-z0-9]+7entriesE[fd]$")
     OR (NOT type STREQUAL "FUNC" AND NOT name MATCHES "^_ZT[VIS]"))  # tables and names of classes are for each its own
    list(APPEND shown ${name})
  endif()
endforeach()
list(JOIN shown "\n" shown)
file(WRITE ${output}.shown "${shown}\n")
run(${objcopy} --keep-global-symbols=${output}.shown ${output}.all ${output})
