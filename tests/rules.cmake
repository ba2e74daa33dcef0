# SPDX-License-Identifier: MIT
# usage: cmake -Dinclude=DIR -P rules.cmake
# Fails, naming file and line, where a header breaks a rule that a search can check.

set(rules
    "std::to_string" "number_text(x): six digits do not tell 0.002 from 0.0020000001, and the locale decides the point"
    "(^|[^_a-z])assert\\(|std::(abort|exit|terminate)" "an error: nothing in the library ends a program"
    "throw std::" "an error of core/error.hpp, which says what, where, found, expected and what to do"
    "std::(cout|cerr)|printf\\(" "nothing: the library does not print"
    "#include <(iostream|functional|random|regex)>|#include <Eigen/Dense>" "a smaller header")

file(GLOB_RECURSE headers ${include}/*.hpp ${include}/*.cuh ${include}/*.cu)
set(broken "")
foreach(header IN LISTS headers)
  set(copy "${rules}")
  while(copy)
    list(POP_FRONT copy pattern instead)
    file(STRINGS ${header} lines REGEX "${pattern}")
    foreach(line IN LISTS lines)
      string(STRIP "${line}" line)
      if(NOT line MATCHES "^//")
        string(APPEND broken "${header}: ${line}\n  instead: ${instead}\n")
      endif()
    endforeach()
  endwhile()
endforeach()
list(LENGTH headers count)
if(count EQUAL 0)
  message(FATAL_ERROR "no headers under ${include}")
endif()
if(broken)
  message(FATAL_ERROR "${broken}")
endif()
message(STATUS "${count} headers follow the rules")
