// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

#include <consistency/io/diffusers_config.hpp>
#include <consistency/io/diffusers_names.hpp>
#include <consistency/io/file.hpp>
#include <consistency/io/torch_parameters.hpp>
#include <consistency/network/adm.hpp>
#include <consistency/process/variance_exploding.hpp>

namespace consistency {

/// An ADM and its weights.
struct AdmModel {
  Adm network;
  Parameters<Tensor<float>> theta;
};

/// The network and weights of a folder of diffusers: config.json of a UNet2DModel (those of consistency
/// models for ImageNet 64×64 and LSUN, of DDPM, of its own training scripts) and
/// diffusion_pytorch_model.safetensors, or .bin. A timestep of diffusers is `time_scale` times a time of the
/// network: 1000 for consistency models, whose times are c_noise; 1 for steps of DDPM. Throws io_error,
/// format_error, naming setting and value, for another network, and as read_torch_parameters does.
inline AdmModel read_diffusers_unet(std::filesystem::path const& folder, double time_scale = 1000) {
  auto network = Adm{detail::DiffusersConfig{folder / "config.json"}.settings(time_scale)};
  auto path = folder / "diffusion_pytorch_model.safetensors";
  std::error_code none;
  if (auto const other = folder / "diffusion_pytorch_model.bin";
      !std::filesystem::exists(path, none) && std::filesystem::exists(other, none))
    path = other;
  auto const file = read_tensor_file(path);
  auto const first_versions =
      std::any_of(file.entries().begin(), file.entries().end(),
                  [](auto const& entry) { return entry.name.ends_with(".query.weight"); });
  auto const names =
      diffusers_names(network, first_versions ? DiffusersAttention::query : DiffusersAttention::to_q);
  auto theta = read_torch_parameters(path, network.parameters(), {.names = names});
  return {std::move(network), std::move(theta)};
}

namespace detail {

inline void make_folder(std::filesystem::path const& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) fail_io(folder, "no folder can be made here", failure.value(), "Choose another.");
}

}  // namespace detail

/// Writes such a folder; its timesteps are the times of the network times `time.scale`. Throws config_error
/// for a network that diffusers does not have (labels of augmentation, a Fourier embedding, fewer groups),
/// numeric_error or io_error.
inline void write_diffusers_unet(std::filesystem::path const& folder, Adm const& net,
                                 Parameters<Tensor<float>> const& theta) {
  auto const config = detail::diffusers_config(net.settings());
  auto const names = diffusers_names(net);
  detail::make_folder(folder);
  write_torch_parameters(folder / "diffusion_pytorch_model.safetensors", theta, names);
  write_file_atomically(folder / "config.json", text_bytes(config.dump(2) + "\n"));
}

/// Writes a pipeline that draws from a consistency model in diffusers (ConsistencyModelPipeline), on a grid
/// of so many points. Throws as write_diffusers_unet does, and config_error where the network's times are not
/// those that its scheduler gives.
inline void write_diffusers_pipeline(std::filesystem::path const& folder, Adm const& net,
                                     Parameters<Tensor<float>> const& theta,
                                     VarianceExploding const& process = {}, Index points = 40,
                                     double sigma_data = 0.5) {
  if (auto const& time = net.settings().time; time.scale != 1000)
    fail<config_error>("write_diffusers_pipeline", "time", time.text(), TimeEmbedding{.scale = 1000}.text(),
                       "The scheduler gives a network 1000 times c_noise.");
  write_diffusers_unet(folder / "unet", net, theta);
  detail::make_folder(folder / "scheduler");
  auto const scheduler = nlohmann::json{{"_class_name", "CMStochasticIterativeScheduler"},
                                        {"clip_denoised", true},
                                        {"num_train_timesteps", points},
                                        {"rho", process.rho},
                                        {"s_noise", 1.0},
                                        {"sigma_data", sigma_data},
                                        {"sigma_max", process.T},
                                        {"sigma_min", process.epsilon}};
  auto const index = nlohmann::json{{"_class_name", "ConsistencyModelPipeline"},
                                    {"scheduler", {"diffusers", "CMStochasticIterativeScheduler"}},
                                    {"unet", {"diffusers", "UNet2DModel"}}};
  write_file_atomically(folder / "scheduler" / "scheduler_config.json", text_bytes(scheduler.dump(2) + "\n"));
  write_file_atomically(folder / "model_index.json", text_bytes(index.dump(2) + "\n"));
}

}  // namespace consistency
