# SPDX-License-Identifier: MIT
# cmake -Dcpu=… -Dgpu=… -P: fails unless the two programs differ by the header and the type of the tensors alone.
file(READ ${cpu} expected)
string(REPLACE "consistency/consistency.hpp" "consistency/cuda.hpp" expected "${expected}")
string(REPLACE "using X = cm::Tensor<float>;" "using X = cm::Tensor<float, cm::Cuda>;" expected "${expected}")
file(READ ${gpu} found)
if(NOT found STREQUAL expected)
  message(FATAL_ERROR "${gpu} is not ${cpu} with one type changed")
endif()
