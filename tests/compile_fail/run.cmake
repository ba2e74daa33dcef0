# SPDX-License-Identifier: MIT
# Compiles ${source} twice, after ${header}: as it stands it must compile; with SHOULD_FAIL it must fail, and say ${pattern}.
list(TRANSFORM includes PREPEND -I)
set(compile ${compiler} ${flags} ${includes} -include ${header} -fsyntax-only)

execute_process(COMMAND ${compile} ${source} RESULT_VARIABLE result ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "Without SHOULD_FAIL this must compile:\n${output}")
endif()

execute_process(COMMAND ${compile} -DSHOULD_FAIL ${source} RESULT_VARIABLE result ERROR_VARIABLE output)
if(result EQUAL 0)
  message(FATAL_ERROR "With SHOULD_FAIL this must not compile, but does.")
elseif(NOT output MATCHES "${pattern}")
  message(FATAL_ERROR "The compiler's output does not match `${pattern}`:\n${output}")
endif()
