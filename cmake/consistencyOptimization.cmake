# SPDX-License-Identifier: MIT
# A word at configuration, where the compiler is told not to optimise: nothing else would say why
# all takes so much longer.

string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
set(flags "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
if(NOT CMAKE_CONFIGURATION_TYPES AND NOT consistency_FIND_QUIETLY AND NOT flags MATCHES "-O([1-9gsz]|fast)")
  message(STATUS "consistency: CMAKE_BUILD_TYPE is \"${CMAKE_BUILD_TYPE}\", which compiles without optimisation: tens of times "
                 "slower. Use Release, or RelWithDebInfo to debug.")
endif()
unset(type)
unset(flags)
