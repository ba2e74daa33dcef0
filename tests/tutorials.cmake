# SPDX-License-Identifier: MIT
# docs/tutorials/*.md -> a program of each, tests "tutorial/<page>", label tutorial; in CONSISTENCY_QUICK_BUILD one for all
include(extract_program.cmake)

set(tutorials_dir ${CMAKE_CURRENT_BINARY_DIR}/tutorials)
file(MAKE_DIRECTORY ${tutorials_dir}/run)
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/examples ${tutorials_dir}/run/examples SYMBOLIC)  # the model of one page

# What a page needs beyond the core and io; where that is not here, the page is left out.
set(library_of_gpu consistency::cuda)
set(library_of_several_processes consistency::mpi)
set(launcher_of_several_processes ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} 2)

set(pages "")
set(sources "")
set(libraries "")
file(GLOB paths CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/tutorials/*.md)
list(FILTER paths EXCLUDE REGEX "/README\\.md$")
foreach(path IN LISTS paths)
  cmake_path(GET path STEM page)
  set(library ${library_of_${page}})
  if(library AND NOT TARGET ${library})
    message(STATUS "docs/tutorials/${page}.md is not tested: there is no ${library}")
    continue()
  endif()
  list(APPEND pages ${page})
  list(APPEND sources ${tutorials_dir}/${page}.cpp)
  list(APPEND libraries ${library})
  extract_program(${path} ${tutorials_dir}/${page}.cpp)
endforeach()

function(consistency_add_tutorials program)
  add_executable(${program} ${ARGN})
  target_link_libraries(${program} PRIVATE ${consistency_library} consistency::io ${libraries} consistency_development)
endfunction()

if(CONSISTENCY_QUICK_BUILD)  # each page in a namespace of its own, `main` too
  consistency_unite_sources(united tutorials 16 "${sources}")
  set(declarations "")
  set(calls "")
  foreach(page IN LISTS pages)
    string(APPEND declarations "namespace file_${page} {\nint main();\n}\n")
    string(APPEND calls "  if (page == \"${page}\") return file_${page}::main();\n")
    set(command_${page} $<TARGET_FILE:test_tutorials> ${page})
  endforeach()
  file(CONFIGURE OUTPUT ${tutorials_dir}/main.cpp CONTENT "#include <string_view>\n${declarations}
int main(int argc, char** argv) {
  auto const page = argc == 2 ? std::string_view{argv[1]} : std::string_view{};
${calls}  return 2;\n}\n")
  consistency_add_tutorials(test_tutorials ${united} ${tutorials_dir}/main.cpp)
  target_compile_options(test_tutorials PRIVATE -O0 -g0)
else()
  add_custom_target(test_tutorials)
  foreach(page source IN ZIP_LISTS pages sources)
    set(libraries ${library_of_${page}})
    consistency_add_tutorials(tutorial_${page} ${source})
    add_dependencies(test_tutorials tutorial_${page})
    set(command_${page} $<TARGET_FILE:tutorial_${page}>)
  endforeach()
endif()

foreach(page IN LISTS pages)
  add_test(NAME tutorial/${page} COMMAND ${launcher_of_${page}} ${command_${page}} WORKING_DIRECTORY ${tutorials_dir}/run)
  set_tests_properties(tutorial/${page} PROPERTIES LABELS tutorial TIMEOUT 120 ENVIRONMENT "${mpi_environment}"
                                                   SKIP_REGULAR_EXPRESSION "no GPU can be used")
endforeach()
