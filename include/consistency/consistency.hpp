// SPDX-License-Identifier: MIT
#pragma once

/// The CPU library without input and output: #include this one header to train and sample. Reading and
/// writing files is in consistency/io/.
#include <consistency/autodiff/autodiff.hpp>
#include <consistency/core/version.hpp>
#include <consistency/metric/l1.hpp>
#include <consistency/metric/l2.hpp>
#include <consistency/metric/linf.hpp>
#include <consistency/metric/pseudo_huber.hpp>
#include <consistency/metric/resized_l2.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/model/guided.hpp>
#include <consistency/network/ddpmpp.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/unet.hpp>
#include <consistency/optimizer/adam.hpp>
#include <consistency/optimizer/radam.hpp>
#include <consistency/sampling/multistep.hpp>
#include <consistency/sampling/ode_sampler.hpp>
#include <consistency/sampling/sample.hpp>
#include <consistency/schedule/doubling_steps.hpp>
#include <consistency/schedule/fixed_steps.hpp>
#include <consistency/schedule/gap_times.hpp>
#include <consistency/schedule/grid_times.hpp>
#include <consistency/solver/dpm2.hpp>
#include <consistency/solver/euler.hpp>
#include <consistency/solver/heun.hpp>
#include <consistency/target/adaptive_ema_target.hpp>
#include <consistency/target/ema_target.hpp>
#include <consistency/training/consistency_distillation.hpp>
#include <consistency/training/consistency_objective.hpp>
#include <consistency/training/consistency_training.hpp>
#include <consistency/training/continuous_consistency_distillation.hpp>
#include <consistency/training/continuous_consistency_training.hpp>
#include <consistency/training/denoiser_training.hpp>
#include <consistency/training/flow_matching.hpp>
#include <consistency/training/progressive_distillation.hpp>
#include <consistency/training/trainer.hpp>
#include <consistency/weighting/grid_speed_weighting.hpp>
#include <consistency/weighting/inverse_gap_weighting.hpp>
