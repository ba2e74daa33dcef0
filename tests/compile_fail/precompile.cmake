# SPDX-License-Identifier: MIT
# Compiles ${header} to ${header}.gch, which GCC and Clang take in its stead.
list(TRANSFORM includes PREPEND -I)
execute_process(
  COMMAND ${compiler} ${flags} ${includes} -x c++-header ${header} -o ${header}.gch
  COMMAND_ERROR_IS_FATAL ANY)
