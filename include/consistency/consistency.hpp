#pragma once

/// The CPU library without input and output: #include this one header to train and sample. Reading and
/// writing files is in consistency/io/.
#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/version.hpp>
#include <consistency/metric/l1.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/sampling/sampler.hpp>
#include <consistency/schedule/time_pair.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/trainer.hpp>
