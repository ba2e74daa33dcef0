# SPDX-License-Identifier: MIT
# Compiles ${source} twice, after ${header}: as it stands it must compile; with SHOULD_FAIL it must
# fail, and say ${pattern} in its first error.
list(TRANSFORM includes PREPEND -I)
set(compile ${compiler} ${flags} ${includes} -include ${header} -fsyntax-only)

execute_process(COMMAND ${compile} ${source} RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "Without SHOULD_FAIL this must compile:\n${output}")
endif()

execute_process(COMMAND ${compile} -DSHOULD_FAIL ${source} RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "With SHOULD_FAIL this must not compile, but does.")
endif()
string(REGEX MATCH "error: [^\n]*" first "${output}")
if(NOT first MATCHES "${pattern}")
  message(FATAL_ERROR "The first error does not match `${pattern}`:\n${output}")
endif()
