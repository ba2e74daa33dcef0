# SPDX-License-Identifier: MIT
# consistency::compiled: the kernels for one or for several instruction sets, and the choice among them.
set(include ${CMAKE_CURRENT_SOURCE_DIR}/include/consistency)
set(folder ${include}/tensor/cpu/compiled)

set(CONSISTENCY_CORE_CHOOSES OFF)
if(NOT CONSISTENCY_COMPILED STREQUAL "NATIVE")  # whose one set is that of the flags
  find_program(CONSISTENCY_LD NAMES ld.bfd ld DOC "GNU ld, which links each instruction set of consistency::compiled by itself")
  mark_as_advanced(CONSISTENCY_LD)
  set(links_groups 1)
  if(CONSISTENCY_LD)  # lld, gold and mold do not know the option
    execute_process(COMMAND ${CONSISTENCY_LD} -r --force-group-allocation -b binary ${CMAKE_CURRENT_LIST_FILE} -o
                            ${CMAKE_CURRENT_BINARY_DIR}/consistency_ld_check.o
                    RESULT_VARIABLE links_groups OUTPUT_QUIET ERROR_QUIET)
  endif()
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$" AND CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF" AND links_groups EQUAL 0
     AND CMAKE_READELF AND CMAKE_OBJCOPY)
    set(CONSISTENCY_CORE_CHOOSES ON)
  else()
    message(STATUS "consistency::compiled is for the compiler's target alone: choosing needs x86-64, ELF, GNU ld, readelf and objcopy")
  endif()
endif()
# Whatever instruction set CMAKE_CXX_FLAGS name, any processor runs what is compiled after this.
set(any_processor "")
if(CONSISTENCY_CORE_CHOOSES)
  set(any_processor -march=x86-64)
endif()

# The objects of kernels.cpp, compiled with further flags; never by the linker, which would show what is hidden below.
function(consistency_kernels set)
  foreach(scalar IN ITEMS float double)
    set(target consistency_kernels_${set}_${scalar})
    add_library(${target} OBJECT ${folder}/kernels.cpp)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON INTERPROCEDURAL_OPTIMIZATION OFF
                                               PORTABLE ${CONSISTENCY_CORE_CHOOSES})
    target_compile_definitions(${target} PRIVATE CONSISTENCY_CORE CONSISTENCY_SCALAR=${scalar}
                                                 $<$<BOOL:${CONSISTENCY_CORE_CHOOSES}>:CONSISTENCY_SET=${set}>)
    target_compile_options(${target} PRIVATE ${any_processor} ${ARGN} $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
                                             $<$<CONFIG:>:-O3> -fno-lto)
    target_link_libraries(${target} PRIVATE consistency consistency_development)
  endforeach()
endfunction()

# The rest, which is compiled for any processor.
foreach(scalar IN ITEMS float double)
  add_library(consistency_recorded_${scalar} OBJECT ${include}/autodiff/compiled/recorded.cpp)
  set_target_properties(consistency_recorded_${scalar} PROPERTIES POSITION_INDEPENDENT_CODE ON PORTABLE ${CONSISTENCY_CORE_CHOOSES})
  target_compile_definitions(
    consistency_recorded_${scalar} PRIVATE CONSISTENCY_CORE CONSISTENCY_COMPILED CONSISTENCY_SCALAR=${scalar})
  target_compile_options(consistency_recorded_${scalar} PRIVATE ${any_processor} $<$<CONFIG:>:-O3>)
  target_link_libraries(consistency_recorded_${scalar} PRIVATE consistency consistency_development)
endforeach()
add_library(
  consistency_compiled STATIC ${folder}/choice.cpp $<TARGET_OBJECTS:consistency_recorded_float>
                              $<TARGET_OBJECTS:consistency_recorded_double>)
add_library(consistency::compiled ALIAS consistency_compiled)
set_target_properties(
  consistency_compiled PROPERTIES EXPORT_NAME compiled POSITION_INDEPENDENT_CODE ON PORTABLE ${CONSISTENCY_CORE_CHOOSES})
target_compile_definitions(consistency_compiled PUBLIC CONSISTENCY_COMPILED PRIVATE CONSISTENCY_CORE)
target_compile_options(consistency_compiled PRIVATE ${any_processor})
target_link_libraries(consistency_compiled PUBLIC consistency PRIVATE $<BUILD_INTERFACE:consistency_development>)

if(CONSISTENCY_CORE_CHOOSES)
  target_compile_definitions(consistency_compiled PRIVATE CONSISTENCY_CHOOSES)
  consistency_kernels(sse2)
  consistency_kernels(avx2 -mavx2 -mfma)
  consistency_kernels(avx512 -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma)
  # Whatever else these objects hold, such as functions of the C++ library, no program may take from them: it might run
  # on a processor that lacks their instructions.
  foreach(set IN ITEMS sse2 avx2 avx512)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/$<CONFIG>/consistency_kernels_${set}.o)
    add_custom_command(
      OUTPUT ${object}
      COMMAND
        ${CMAKE_COMMAND}
        "-Dobjects=$<TARGET_OBJECTS:consistency_kernels_${set}_float>;$<TARGET_OBJECTS:consistency_kernels_${set}_double>"
        -Dlinker=${CONSISTENCY_LD} -Dreadelf=${CMAKE_READELF} -Dobjcopy=${CMAKE_OBJCOPY} -Doutput=${object}
        -P ${CMAKE_CURRENT_SOURCE_DIR}/cmake/show_kernels_alone.cmake
      DEPENDS $<TARGET_OBJECTS:consistency_kernels_${set}_float> $<TARGET_OBJECTS:consistency_kernels_${set}_double>
              ${CMAKE_CURRENT_SOURCE_DIR}/cmake/show_kernels_alone.cmake
      COMMENT "Kernels for ${set}"
      VERBATIM)
    target_sources(consistency_compiled PRIVATE ${object})
    # Generators of makefiles know the rules of other targets' objects by this alone.
    add_dependencies(consistency_compiled consistency_kernels_${set}_float consistency_kernels_${set}_double)
  endforeach()
else()
  consistency_kernels(target)
  target_sources(
    consistency_compiled PRIVATE $<TARGET_OBJECTS:consistency_kernels_target_float>
                                 $<TARGET_OBJECTS:consistency_kernels_target_double>)
endif()
