# SPDX-License-Identifier: MIT
# cuDNN, of a CUDA toolkit, of NVIDIA's packages or archives, or of a Python wheel; cuDNN_ROOT says where. Provides
# cuDNN::cuDNN and cuDNN_VERSION.
find_path(cuDNN_INCLUDE_DIR cudnn_version.h
          PATHS /usr/local/cuda ENV CUDA_PATH ENV CUDAToolkit_ROOT
          PATH_SUFFIXES include)
find_library(cuDNN_LIBRARY NAMES cudnn libcudnn.so.9 NAMES_PER_DIR  # wheels have no link without a version
             PATHS /usr/local/cuda ENV CUDA_PATH ENV CUDAToolkit_ROOT
             PATH_SUFFIXES lib64 lib)
mark_as_advanced(cuDNN_INCLUDE_DIR cuDNN_LIBRARY)

if(cuDNN_INCLUDE_DIR)
  file(STRINGS ${cuDNN_INCLUDE_DIR}/cudnn_version.h cuDNN_version_lines REGEX "#define CUDNN_(MAJOR|MINOR|PATCHLEVEL) [0-9]+")
  string(REGEX REPLACE "[^0-9;]" "" cuDNN_VERSION "${cuDNN_version_lines}")
  list(JOIN cuDNN_VERSION "." cuDNN_VERSION)
  unset(cuDNN_version_lines)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  cuDNN
  REQUIRED_VARS cuDNN_LIBRARY cuDNN_INCLUDE_DIR
  VERSION_VAR cuDNN_VERSION
  REASON_FAILURE_MESSAGE "Set cuDNN_ROOT to where its include/ and lib/ are")

if(cuDNN_FOUND AND NOT TARGET cuDNN::cuDNN)
  add_library(cuDNN::cuDNN UNKNOWN IMPORTED)
  set_target_properties(
    cuDNN::cuDNN PROPERTIES IMPORTED_LOCATION ${cuDNN_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${cuDNN_INCLUDE_DIR})
endif()
