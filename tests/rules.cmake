# SPDX-License-Identifier: MIT
# usage: cmake -Dinclude=DIR -P rules.cmake
# Fails, naming file and line, where a header breaks a rule that a search can check, or uses a retired word.

set(rules
    "std::to_string" "number_text(x): six digits do not tell 0.002 from 0.0020000001, and the locale decides the point"
    "(^|[^_a-z])assert\\(|std::(abort|exit|terminate)" "an error: nothing in the library ends a program"
    "throw ([a-z]+::)?[a-z]+_error{{" "fail<config_error>(where, what, found, expected, advice)"
    "throw std::" "an error of core/error.hpp, which says what, where, found, expected and what to do"
    "std::(cout|cerr)|printf\\(" "nothing: the library does not print"
    "#include <(iostream|functional|random|regex)>|#include <Eigen/Dense>" "a smaller header")

# Words that have a plain one in their place, in comments too.
set(retired
    "(^|[^A-Za-z])[Ll]aws?([^a-z]|$)|[a-z]Law" "distribution"
    "[Rr]efus(e|al)" "fail, throw or reject"
    "[Mm]isfit" "shape mismatch"
    "[Kk]ept[ _]form|(keep|drop)_forms|FormsScope" "prepared weights"
    "(^|[^A-Za-z])(doors?|flies|hears?|heeds?|for want of)([^a-z]|$)" "what happens, in plain words")

file(GLOB_RECURSE headers ${include}/*.hpp ${include}/*.cpp ${include}/*.cuh ${include}/*.cu)
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
  set(copy "${retired}")
  while(copy)
    list(POP_FRONT copy pattern instead)
    file(STRINGS ${header} lines REGEX "${pattern}")
    foreach(line IN LISTS lines)
      string(APPEND broken "${header}: ${line}\n  instead: ${instead}\n")
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
