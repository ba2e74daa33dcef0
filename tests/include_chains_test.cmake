# SPDX-License-Identifier: MIT
# usage: cmake -Dfolder=DIR -P include_chains_test.cmake
# Headers share a source where one includes the other, directly or not, and nowhere else. Writes them into `folder`.

cmake_minimum_required(VERSION 3.23)
include(${CMAKE_CURRENT_LIST_DIR}/include_chains.cmake)
set(all "")
foreach(header_and_includes IN ITEMS "low" "middle;low" "high;middle" "beside;low" "other")
  list(POP_FRONT header_and_includes header)
  list(TRANSFORM header_and_includes REPLACE "(.+)" "#include <consistency/\\1.hpp>\n")
  list(JOIN header_and_includes "" lines)
  file(WRITE ${folder}/consistency/${header}.hpp "${lines}")
  list(APPEND all consistency/${header}.hpp)
endforeach()
consistency_include_chains(chains ${folder} "${all}")
string(REGEX REPLACE "consistency/|\\.hpp" "" chains "${chains}")
list(SORT chains)
if(NOT chains STREQUAL "beside;low|middle|high;other")
  message(FATAL_ERROR "found ${chains}")
endif()
