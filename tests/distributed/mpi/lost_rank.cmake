# Runs `program` on ranks of which one is lost in the way `how`: the launcher must end in time, not with success, and the
# last checkpoint must be whole. Variables: launcher (a list), program, folder, how.
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${folder})
execute_process(COMMAND ${launcher} ${program} train ${folder} ${how} TIMEOUT 60 RESULT_VARIABLE result)
if(result MATCHES "timeout")
  message(FATAL_ERROR "the ranks that were left waited for ever")
elseif(result STREQUAL "0")
  message(FATAL_ERROR "the loss of a rank was taken for success")
endif()
execute_process(COMMAND ${program} check ${folder} COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE ${folder})
