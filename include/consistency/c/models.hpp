// SPDX-License-Identifier: MIT
#pragma once

// The models that handles of c.h are of.

#include <variant>

#include <consistency/c/handles.hpp>
#include <consistency/checkpoint/model_description.hpp>
#include <consistency/core/memory.hpp>
#include <consistency/model/consistency_function.hpp>
#include <consistency/model/denoiser.hpp>
#include <consistency/network/adm.hpp>
#include <consistency/network/mlp.hpp>
#include <consistency/network/prepared_parameters.hpp>
#include <consistency/network/song_unet.hpp>
#include <consistency/network/unet.hpp>

namespace consistency::c {

template <class... Network>
using OfEach = std::variant<ConsistencyFunction<Network>..., Denoiser<Network>...>;
using AnyFunction = OfEach<Mlp, UNet, SongUNet, Adm>;

struct LoadedModel {
  AnyFunction f;
  PreparedParameters<Tensor<float>> theta;
  DataDescription data;
};

using Models = Handles<LoadedModel, 0>;

/// What was freed goes back to the system: an application may load the next model, or unload the library.
inline void give_back() noexcept { MemoryPool::instance().trim(); }

/// The features of a network's condition.
Index condition_of(auto const& network) { return network.settings().condition.features; }

}  // namespace consistency::c
