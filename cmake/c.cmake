# SPDX-License-Identifier: MIT
# consistency::c: the functions of c.h, in a shared library that shows nothing else and can be unloaded.
add_library(consistency_c SHARED include/consistency/c/model.cpp include/consistency/c/session.cpp include/consistency/c/trainer.cpp)
add_library(consistency::c ALIAS consistency_c)
set_target_properties(
  consistency_c PROPERTIES EXPORT_NAME c CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON VERSION ${PROJECT_VERSION}
                           SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_sources(consistency_c PUBLIC FILE_SET HEADERS BASE_DIRS include FILES include/consistency/c.h)
target_link_libraries(consistency_c PRIVATE ${consistency_library} consistency::io $<BUILD_INTERFACE:consistency_development>)
target_compile_options(consistency_c PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>
                                             $<$<BOOL:${CONSISTENCY_QUICK_BUILD}>:-O0>)
if(CMAKE_EXECUTABLE_FORMAT STREQUAL "ELF")  # templates of the standard library stay visible without it
  set(symbols ${CMAKE_CURRENT_SOURCE_DIR}/cmake/c.symbols)
  target_link_options(consistency_c PRIVATE "LINKER:--version-script=${symbols}")
  set_target_properties(consistency_c PROPERTIES LINK_DEPENDS ${symbols})
endif()
