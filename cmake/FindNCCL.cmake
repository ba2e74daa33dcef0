# SPDX-License-Identifier: MIT
# NCCL, of a CUDA toolkit or of its own package. Provides NCCL::NCCL, which asks for CUDA::cudart.
find_path(NCCL_INCLUDE_DIR nccl.h
          PATHS /usr/local/cuda ENV CUDA_PATH ENV CUDAToolkit_ROOT ENV NCCL_ROOT
          PATH_SUFFIXES include)
find_library(NCCL_LIBRARY nccl
             PATHS /usr/local/cuda ENV CUDA_PATH ENV CUDAToolkit_ROOT ENV NCCL_ROOT
             PATH_SUFFIXES lib64 lib)
mark_as_advanced(NCCL_INCLUDE_DIR NCCL_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  NCCL REQUIRED_VARS NCCL_LIBRARY NCCL_INCLUDE_DIR
       REASON_FAILURE_MESSAGE "From NVIDIA's package archive: apt-get install libnccl-dev")

if(NCCL_FOUND AND NOT TARGET NCCL::NCCL)
  add_library(NCCL::NCCL UNKNOWN IMPORTED)
  set_target_properties(NCCL::NCCL PROPERTIES IMPORTED_LOCATION ${NCCL_LIBRARY})
  target_include_directories(NCCL::NCCL SYSTEM INTERFACE ${NCCL_INCLUDE_DIR})
  target_link_libraries(NCCL::NCCL INTERFACE CUDA::cudart)
endif()
