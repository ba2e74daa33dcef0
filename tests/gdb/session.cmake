# SPDX-License-Identifier: MIT
# usage: cmake -Dgdb=GDB -Dscript=PRINTERS -Dprogram=PROGRAM -P session.cmake
# Stops the program in `here` and looks at the values of main, as a person does.

set(commands "")
set(wanted "")
macro(look expression text)
  list(APPEND commands -ex "print ${expression}")
  list(APPEND wanted "${text}")
endmacro()
look(shape "= (2, 3)")
look(tensor "= Tensor<float, consistency::Cpu> (2, 3) = {(0, 0) = 0.5, (0, 1) = -1, (0, 2) = 2.25, (1, 0) = 3, ")
look(undefined "= Tensor<float, consistency::Cpu> () undefined")
look(variable "= Variable, node 0 of its tape = {value = Tensor<float, consistency::Cpu> (2, 3) = {(0, 0) = 0.5, ")
look(dual "= Dual = {primal = Tensor<float, consistency::Cpu> (2, 3) = {(0, 0) = 0.5, ")
look(*theta.table_._M_ptr "= ParameterTable of 30 numbers = {hidden0.weight = (4, 4), hidden0.bias = (4), ")
look(theta "out.bias = Tensor<float, consistency::Cpu> (2) = {(0) = 0, (1) = 0}}")

execute_process(
  COMMAND ${gdb} -nx -batch -ex "set width 0" -ex "source ${script}" -ex "break here" -ex run -ex up ${commands} ${program}
  OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(said MATCHES "ptrace|Could not trace|not permitted")
  message("skipped: no right to trace a process: ${said}")
  return()
endif()
foreach(text IN LISTS wanted)
  string(FIND "${said}" "${text}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "gdb did not say: ${text}\nbut:\n${said}")
  endif()
endforeach()
