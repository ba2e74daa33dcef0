// SPDX-License-Identifier: MIT
#pragma once

#include "../run/data.hpp"

namespace cifar10 {

/// work.operator()<Subject>() for the network of a recipe. Throws config_error for one that the programs are
/// not built for.
int choose(run::Recipe const& recipe, auto const& work) {
  run::require_one_of("network", recipe.network, {"unet", "ddpmpp", "ncsnpp"});
  if (recipe.points())
    consistency::fail<consistency::config_error>("--data", "points", "checkerboard", "images",
                                                 "fashion_mnist_train learns points.");
  if (recipe.network == "unet") return work.template operator()<run::Pictures<consistency::UNet>>();
  return work.template operator()<run::Pictures<consistency::SongUNet>>();
}

}  // namespace cifar10
