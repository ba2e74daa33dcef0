# SPDX-License-Identifier: MIT
# Links `objects` into the object `output` that shows two kinds of symbols alone: the two functions that give the tables of
# kernels, and variables that a program has once, such as the pool of threads.
cmake_minimum_required(VERSION 3.23)
function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE said)
  set(said "${said}" PARENT_SCOPE)
endfunction()

cmake_path(GET output PARENT_PATH folder)
file(MAKE_DIRECTORY ${folder})
run(${linker} -r --force-group-allocation ${objects} -o ${output}.all)

# Variables stand in writable sections; tables of functions and of classes, which are constant, in others.
run(${readelf} -SW ${output}.all)
string(REGEX MATCHALL "\\[ *[0-9]+\\] \\.(t?bss|t?data)[^ ]* " sections "${said}")
list(FILTER sections EXCLUDE REGEX "\\.data\\.rel\\.ro")
list(TRANSFORM sections REPLACE "\\[ *([0-9]+)\\].*" "\\1")

run(${readelf} -sW ${output}.all)
string(REPLACE "\n" ";" lines "${said}")
set(tables "")
set(variables "")
foreach(line IN LISTS lines)
  # Number, value, size, type, binding, visibility, section, name.
  if(NOT line MATCHES " (OBJECT|TLS|FUNC) +(WEAK|UNIQUE|GLOBAL) +[A-Z]+ +([0-9]+) ([^ ]+)$")
    continue()
  endif()
  set(section ${CMAKE_MATCH_3})
  set(name ${CMAKE_MATCH_4})
  if(CMAKE_MATCH_1 STREQUAL "FUNC")
    if(name MATCHES "^_ZN11consistency3cpu[0-9]+[a-z0-9]+7entriesE[fd]$")
      list(APPEND tables ${name})
    endif()
  elseif(section IN_LIST sections AND NOT name MATCHES "^DW\\.ref\\.")  # pointers to what handles exceptions
    list(APPEND variables ${name})
  endif()
endforeach()
list(LENGTH tables count)
if(NOT count EQUAL 2)
  message(FATAL_ERROR "${objects} give ${count} tables of kernels instead of 2: ${tables}")
endif()
list(JOIN tables "\n" shown)
list(JOIN variables "\n" variables)
file(WRITE ${output}.shown "${shown}\n${variables}\n")
run(${objcopy} --keep-global-symbols=${output}.shown ${output}.all ${output})
