# SPDX-License-Identifier: MIT
# Counts the element-wise chains that a unit of a program with the compiled core compiles itself: none for a training step
# of the library's U-Net, some for a unit with chains of its own.
cmake_minimum_required(VERSION 3.23)
file(MAKE_DIRECTORY ${folder})
foreach(include IN LISTS includes)
  list(APPEND flags -I${include})
endforeach()

function(count source result)
  execute_process(COMMAND ${compiler} ${flags} -O0 -DCONSISTENCY_COMPILED -DUNIT=first -c ${CMAKE_CURRENT_LIST_DIR}/${source}
                          -o ${folder}/${source}.o COMMAND_ERROR_IS_FATAL ANY)
  execute_process(COMMAND ${nm} --defined-only ${folder}/${source}.o OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "_ZN11consistency3cpu[0-9][a-z0-9]+4walkI[^\n]*" chains "${said}")
  list(LENGTH chains count)
  set(${result} ${count} PARENT_SCOPE)
  set(chains "${chains}" PARENT_SCOPE)
endfunction()

count(unit.cpp own)
if(own EQUAL 0)
  message(FATAL_ERROR "A chain that a unit compiles itself is not found among its symbols")
endif()
count(unet_step.cpp library)
if(NOT library EQUAL 0)
  list(JOIN chains "\n" chains)
  message(FATAL_ERROR "${library} chains of the library are not in tensor/cpu/compiled/chains.hpp:\n${chains}")
endif()
