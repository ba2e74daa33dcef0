# SPDX-License-Identifier: MIT
# What the core's object for one instruction set shows: the two functions that give its tables and the variables that a
# program has once, and nothing else, so that no program takes code from it that its processor may lack. What runs before
# main, on any processor, has none of the set's instructions.
cmake_minimum_required(VERSION 3.23)
string(LENGTH ${set} length)
set(tables _ZN11consistency3cpu${length}${set}7entriesEd _ZN11consistency3cpu${length}${set}7entriesEf)
# The pools of threads and of memory, where a thread is, whose loops and memory it takes, and how often the process forked; with
# their guards.
set(variables
    _ZGVZN11consistency10MemoryPool8instanceEvE4pool
    _ZGVZN11consistency10ThreadPool8instanceEvE4pool
    _ZGVZN11consistency5forksEvE10registered
    _ZZN11consistency10MemoryPool8instanceEvE4pool
    _ZZN11consistency10ThreadPool5placeEvE4here
    _ZZN11consistency10ThreadPool8instanceEvE4pool
    _ZZN11consistency11MemoryCache7currentEvE5cache
    _ZZN11consistency13ExecutorScope7currentEvE5scope
    _ZZN11consistency5forksEvE10registered
    _ZZN11consistency5forksEvE5count)

execute_process(COMMAND ${readelf} -sW ${object} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REPLACE "\n" ";" lines "${said}")
set(shown "")
foreach(line IN LISTS lines)
  if(line MATCHES " (WEAK|UNIQUE|GLOBAL) +[A-Z]+ +[0-9]+ ([^ ]+)$")  # defined here: the section is a number
    list(APPEND shown ${CMAKE_MATCH_2})
  endif()
endforeach()
set(missing ${tables} ${variables})
list(REMOVE_ITEM missing ${shown})
list(REMOVE_ITEM shown ${tables} ${variables})
if(shown OR missing)
  list(JOIN shown "\n" shown)
  list(JOIN missing "\n" missing)
  message(FATAL_ERROR "The kernels for ${set} show what they must not:\n${shown}\nand do not show:\n${missing}")
endif()

execute_process(COMMAND ${objdump} -d --no-show-raw-insn ${object} OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "<(_GLOBAL__sub_I_|__cxx_global_var_init|_Z[0-9]+__static_initialization)[^>]*>:\n([^\n]+\n)+" starts "${said}")
if(NOT starts)
  message(FATAL_ERROR "The functions that run before main were not found")
endif()
foreach(start IN LISTS starts)
  if(start MATCHES "\t(v[a-z0-9]+ [^\n]*%[xyz]mm[^\n]*|k[a-z]+ [^\n]*%k[0-7][^\n]*)")
    message(FATAL_ERROR "What runs before main has instructions of ${set}: ${CMAKE_MATCH_1}")
  endif()
endforeach()
