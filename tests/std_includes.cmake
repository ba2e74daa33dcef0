# SPDX-License-Identifier: MIT
# usage: cmake -Dinclude=DIR -P std_includes.cmake
# Fails, naming header and name, where a header says a name of the standard library or of Eigen and neither it nor a header
# of this library that it includes, by however many steps, includes where that name is from. Where <Eigen/Core> is
# precompiled, as in CONSISTENCY_QUICK_BUILD, the compiler would not notice: the names are those that Eigen brings along.

cmake_minimum_required(VERSION 3.23)
set(names # pattern, headers that declare it
    "Eigen::" "Eigen/(Core|[A-Z][a-z]+)"
    "std::(sqrt|exp|log|log1p|expm1|pow|abs|sin|cos|tan|tanh|sinh|atan2?|acos|asin|floor|ceil|l?round|isfinite|isnan|isinf|hypot|fma|ldexp|frexp|nextafter|trunc|signbit|copysign)\\(" "cmath|complex"
    "std::complex[^a-z_]" "complex"
    "std::(function|plus|minus|multiplies|greater|hash|invoke|reference_wrapper|c?ref|negate|identity)[^a-z_]" "functional"
    "std::less[^a-z_]" "functional|map|set"
    "std::(string|getline|sto[idlu]+)[^a-z_]" "string|sstream|stdexcept|filesystem"
    "std::string_view" "string_view|string"
    "std::[io]?stringstream" "sstream"
    "std::numeric_limits" "limits"
    "std::(array|to_array)[^a-z_]" "array"
    "std::vector" "vector"
    "std::(tuple|make_tuple|tie|apply)[^a-z_]" "tuple"
    "std::unordered_map" "unordered_map"
    "std::mem(cpy|set|move|cmp)[^a-z_]" "cstring"
    "std::(getenv|malloc|free|aligned_alloc)[^a-z_]" "cstdlib"
    "std::(min|max|clamp|sort|copy|copy_n|fill|fill_n|find|find_if|any_of|all_of|none_of|max_element|min_element|minmax_element|transform|reverse|equal|lower_bound|upper_bound|nth_element|partial_sort|count|count_if|unique|rotate|shuffle|for_each|ranges::(min|max|sort|copy|copy_n|fill|find|find_if|any_of|all_of|none_of|max_element|min_element|transform|reverse|equal|lower_bound|upper_bound|nth_element|count|count_if|unique|for_each))\\(" "algorithm"
    "std::(move|forward|pair|swap|exchange|declval|(make_)?index_sequence)[^a-z_]" "utility|tuple|vector|map|memory|array|optional|variant|string|algorithm|span|functional|filesystem"
    "std::(is_[a-z_]+|conditional_t|decay_t|remove_[a-z_]+)" "type_traits|concepts|utility|tuple|memory|span|optional|functional|variant|array|vector"
    "std::(unique_ptr|shared_ptr|make_unique|make_shared)" "memory"
    "std::(runtime_error|logic_error|invalid_argument)" "stdexcept"
    "std::initializer_list" "initializer_list|vector|string|array|map"
    "std::(errc|error_code|system_error)[^a-z_]" "system_error|charconv|filesystem"
    "std::(same_as|convertible_to|floating_point|integral|invocable|derived_from)[^a-z_]" "concepts"
    "std::(bit_cast|popcount|countr_zero|endian|bit_ceil)[^a-z_]" "bit"
    "CHAR_BIT|INT_MAX" "climits")

file(GLOB_RECURSE headers RELATIVE ${include} ${include}/consistency/*.hpp)
if(NOT headers)
  message(FATAL_ERROR "no headers under ${include}")
endif()
foreach(header IN LISTS headers)
  file(STRINGS ${include}/${header} lines REGEX "^#include <")
  list(TRANSFORM lines REPLACE "^#include <([^>]+)>.*" "\\1")
  set(own_${header} ${lines})
  list(FILTER own_${header} INCLUDE REGEX "^consistency/")
  set(foreign_${header} ${lines})
  list(FILTER foreign_${header} EXCLUDE REGEX "^consistency/")
endforeach()

# All that a header includes of others: its own lines and those of the headers that it includes.
function(gather header)
  if(DEFINED CACHE{all_${header}} OR NOT DEFINED foreign_${header})
    return()
  endif()
  set(all ${foreign_${header}})
  foreach(included IN LISTS own_${header})
    gather(${included})
    list(APPEND all $CACHE{all_${included}})
  endforeach()
  list(REMOVE_DUPLICATES all)
  set(all_${header} "${all}" CACHE INTERNAL "")
endfunction()

set(broken "")
foreach(header IN LISTS headers)
  gather(${header})
  set(copy "${names}")
  while(copy)
    list(POP_FRONT copy pattern providers)
    file(STRINGS ${include}/${header} lines REGEX "${pattern}")
    list(FILTER lines EXCLUDE REGEX "^ *//")
    set(provided $CACHE{all_${header}})
    list(FILTER provided INCLUDE REGEX "^(${providers})$")
    if(lines AND NOT provided)
      list(GET lines 0 line)
      string(STRIP "${line}" line)
      string(APPEND broken "${header}: ${line}\n  needs one of <${providers}>\n")
    endif()
  endwhile()
endforeach()
if(broken)
  message(FATAL_ERROR "${broken}")
endif()
list(LENGTH headers count)
message(STATUS "${count} headers include what they name")
