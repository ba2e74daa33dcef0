# SPDX-License-Identifier: MIT
# xxHash, used from its header alone (XXH_INLINE_ALL). Provides xxHash::headers.
find_path(xxHash_INCLUDE_DIR xxhash.h)
mark_as_advanced(xxHash_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(
  xxHash REQUIRED_VARS xxHash_INCLUDE_DIR REASON_FAILURE_MESSAGE "On Debian: apt-get install libxxhash-dev")

if(xxHash_FOUND AND NOT TARGET xxHash::headers)
  add_library(xxHash::headers INTERFACE IMPORTED)
  target_include_directories(xxHash::headers INTERFACE ${xxHash_INCLUDE_DIR})
endif()
