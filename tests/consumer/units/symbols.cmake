# SPDX-License-Identifier: MIT
# What the core's object for one instruction set shows: the two functions that give its tables, and no other function, so
# that no program takes code from it that its processor may lack; and what a program has once stays for all to see.
execute_process(COMMAND ${readelf} -sW ${object} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" lines "${said}")
set(functions 0)
set(state 0)
foreach(line IN LISTS lines)
  if(line MATCHES " (FUNC|IFUNC) +(WEAK|UNIQUE|GLOBAL) +[A-Z]+ +[0-9]+ ([^ ]+)$")
    if(NOT CMAKE_MATCH_3 MATCHES "^_ZN11consistency3cpu[0-9]${set}7entriesE[fd]$")
      message(FATAL_ERROR "The kernels for ${set} show a function of another kind: ${CMAKE_MATCH_3}")
    endif()
    math(EXPR functions "${functions} + 1")
  elseif(line MATCHES " (OBJECT|TLS) +(WEAK|UNIQUE|GLOBAL) .*(ThreadPool8instanceEvE4pool|MemoryPool8instanceEvE4pool|ThreadPool5placeEvE4here)$")
    math(EXPR state "${state} + 1")
  endif()
endforeach()
if(NOT functions EQUAL 2)
  message(FATAL_ERROR "The kernels for ${set} show ${functions} tables instead of 2")
endif()
# The pools with their guards, and where a thread is.
if(NOT state EQUAL 5)
  message(FATAL_ERROR "The kernels for ${set} have ${state} of 5 variables in common with a program")
endif()
