# SPDX-License-Identifier: MIT
# Thrust's headers, of a CUDA toolkit or of Debian's libthrust-dev. Provides Thrust::host: Thrust without CUDA.
find_path(Thrust_INCLUDE_DIR thrust/version.h
          PATHS /usr/local/cuda ENV CUDA_PATH ENV CUDAToolkit_ROOT
          PATH_SUFFIXES include/cccl include)
mark_as_advanced(Thrust_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  Thrust REQUIRED_VARS Thrust_INCLUDE_DIR REASON_FAILURE_MESSAGE "On Debian: apt-get install libthrust-dev")

if(Thrust_FOUND AND NOT TARGET Thrust::host)
  add_library(Thrust::host INTERFACE IMPORTED)
  target_include_directories(Thrust::host SYSTEM INTERFACE ${Thrust_INCLUDE_DIR})
  target_compile_definitions(Thrust::host INTERFACE THRUST_DEVICE_SYSTEM=THRUST_DEVICE_SYSTEM_CPP)
endif()
