# SPDX-License-Identifier: MIT
"""Writes ddpmpp.safetensors: a small DDPM++ with random weights, and what EDM's own program computes with them.

usage: ddpmpp.py EDM OUT, with EDM a checkout of github.com/NVlabs/edm; needs PyTorch and safetensors
Weights, in float32, have the names of EDM's files ("model." and constants included). Behind "golden.", in float64: x,
noise and F, the network's output; noisy, sigma and D, the denoiser's. Where EDM itself casts to single precision, double
is taken.
"""
import sys
import types

import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
sys.modules.setdefault("requests", types.ModuleType("requests"))  # imported there, and used to download alone
from training import networks

torch.manual_seed(0)
net = networks.EDMPrecond(img_resolution=8, img_channels=3, model_type="SongUNet", augment_dim=9, model_channels=8,
                          channel_mult=[1, 2], channel_mult_emb=2, num_blocks=1, attn_resolutions=[4], dropout=0.13,
                          embedding_type="positional", encoder_type="standard", decoder_type="standard",
                          channel_mult_noise=1, resample_filter=[1, 1]).eval()
for parameter in net.parameters():  # far from the initial zeros, so that every branch and the time count
    torch.nn.init.normal_(parameter, std={1: 0.5, 2: 0.6, 4: 0.2}[parameter.dim()])
weights = {name: values.float().contiguous() for name, values in net.state_dict().items()}
x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
sigma = torch.tensor([0.01, 0.9, 30.0], dtype=torch.float64)
noise, noisy = sigma.log() / 4, x * sigma[:, None, None, None]
net.double()
torch.float32 = torch.float64
with torch.no_grad():
    golden = {"x": x, "noise": noise, "F": net.model(x, noise, None), "noisy": noisy, "sigma": sigma, "D": net(noisy, sigma)}
save_file({**weights, **{"golden." + name: values.contiguous() for name, values in golden.items()}}, sys.argv[2])
