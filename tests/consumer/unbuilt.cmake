# SPDX-License-Identifier: MIT
# usage: cmake -Droot=DIR -Dfolder=DIR -Dgenerator=NAME -Dcompiler=PATH -P unbuilt.cmake
# Configures the library with the compiled core and a CUDA backend, builds nothing, installs, and configures a project that
# finds the package. Then asks make what it would build.

function(run)
  execute_process(COMMAND ${CMAKE_COMMAND} ${ARGN} COMMAND_ERROR_IS_FATAL ANY OUTPUT_VARIABLE output)
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${folder})

# Eigen of a later major version.
include(CMakePackageConfigHelpers)
file(WRITE ${folder}/eigen5/Eigen3Config.cmake "add_library(Eigen3::Eigen INTERFACE IMPORTED)\n")
write_basic_package_version_file(${folder}/eigen5/Eigen3ConfigVersion.cmake VERSION 5.0.0 COMPATIBILITY SameMajorVersion ARCH_INDEPENDENT)
set(common -G ${generator} -DCMAKE_CXX_COMPILER=${compiler})
run(-S ${root} -B ${folder}/library ${common} -DCONSISTENCY_CUDA=HOST -DCONSISTENCY_MPI=OFF -DCONSISTENCY_BUILD_TESTS=OFF
    -DCONSISTENCY_BUILD_BENCH=OFF)
if(NOT output MATCHES "without optimisation: tens of times slower")
  message(FATAL_ERROR "no word about a build type that does not optimise:\n${output}")
endif()
run(--install ${folder}/library --prefix ${folder}/prefix)
run(-S ${root}/tests/consumer -B ${folder}/consumer ${common} -DCMAKE_BUILD_TYPE=Release -DWAY=unbuilt
    -DCMAKE_PREFIX_PATH=${folder}/prefix -DEigen3_DIR=${folder}/eigen5)
if(output MATCHES "without optimisation")
  message(FATAL_ERROR "Release is said not to optimise:\n${output}")
endif()
file(GLOB_RECURSE pages RELATIVE ${folder}/prefix ${folder}/prefix/share/doc/*)
foreach(page IN ITEMS README.md docs/design.md examples/01_gaussian.cpp)
  if(NOT pages MATCHES "/${page}(;|$)")
    message(FATAL_ERROR "${page} was not installed")
  endif()
endforeach()

execute_process(COMMAND ${CMAKE_COMMAND} -S ${root} -B ${folder}/unknown ${common} -DCONSISTENCY_COMPILED=AVX2
                RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE said)
if(NOT failed OR NOT said MATCHES "CONSISTENCY_COMPILED: found \"AVX2\", expected ON, NATIVE or OFF")
  message(FATAL_ERROR "An unknown kind of compiled core is configured:\n${said}")
endif()

# Makefiles, CMake's default, of which some know no rule of another target's objects.
find_program(make make)
if(make)
  run(-S ${root} -B ${folder}/makefiles -G "Unix Makefiles" -DCMAKE_CXX_COMPILER=${compiler} -DCONSISTENCY_COMPILED=ON
      -DEigen3_DIR=${folder}/eigen5 -DCONSISTENCY_CUDA=OFF -DCONSISTENCY_MPI=OFF -DCONSISTENCY_BUILD_TESTS=OFF -DCONSISTENCY_BUILD_BENCH=OFF)
  execute_process(COMMAND ${make} -C ${folder}/makefiles -n consistency_compiled OUTPUT_VARIABLE output ERROR_QUIET)
  string(REGEX MATCHALL "[^ ]*kernels.cpp.o -c " objects "${output}")
  list(LENGTH objects count)
  if(NOT count EQUAL 6 AND NOT count EQUAL 2)  # two scalars, of three instruction sets or of one
    message(FATAL_ERROR "make consistency_compiled would compile ${count} objects of kernels: ${objects}")
  endif()
endif()
