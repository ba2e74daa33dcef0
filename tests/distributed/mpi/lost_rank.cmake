# SPDX-License-Identifier: MIT
# Runs `program` on ranks of which one is lost in the way `how`: the launcher must end in time, not with success, what the
# ranks said must match `said`, and the last checkpoint must be whole. Variables: launcher (a list), program, folder, how,
# said.
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${folder})
execute_process(
  COMMAND ${launcher} ${program} train ${folder} ${how}
  TIMEOUT 60
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
if(result MATCHES "timeout")
  message(FATAL_ERROR "the ranks that were left waited for ever: ${output}")
elseif(result STREQUAL "0")
  message(FATAL_ERROR "the loss of a rank was taken for success: ${output}")
elseif(NOT output MATCHES "${said}")
  message(FATAL_ERROR "no rank said '${said}': ${output}")
endif()
execute_process(COMMAND ${program} check ${folder} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${folder})
