# SPDX-License-Identifier: MIT
"""Writes a small ADM with random weights, and what EDM's own program computes with them.

usage: adm.py EDM OUT scale_shift|add, with EDM a checkout of github.com/NVlabs/edm; needs PyTorch and safetensors
OUT is adm_scale_shift.safetensors or adm_add.safetensors: the time embedding scales and shifts, or is added. Weights, in
float32, have the names of EDM's files ("model." and constants included). Behind "golden.", in float64: x, noise, labels
and F, the network's output. Heads have 8 channels in place of 64, so that a small network has several. Where EDM itself
casts to single precision, double is taken.
"""
import sys
import types

import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
sys.modules.setdefault("requests", types.ModuleType("requests"))  # imported there, and used to download alone
from training import networks


class Block(networks.UNetBlock):
    def __init__(self, *args, **settings):
        super().__init__(*args, **{**settings, "channels_per_head": 8, "adaptive_scale": sys.argv[3] == "scale_shift"})


networks.UNetBlock = Block
torch.manual_seed(0)
net = networks.DhariwalUNet(img_resolution=8, in_channels=3, out_channels=3, label_dim=5, augment_dim=9, model_channels=8,
                            channel_mult=[1, 2], channel_mult_emb=2, num_blocks=1, attn_resolutions=[4], dropout=0.1).eval()
for parameter in net.parameters():  # far from the initial zeros, so that every branch and the time count
    torch.nn.init.normal_(parameter, std={1: 0.5, 2: 0.6, 4: 0.2}[parameter.dim()])
weights = {"model." + name: values.float().contiguous() for name, values in net.state_dict().items()}
x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
noise = torch.tensor([0.01, 0.9, 30.0], dtype=torch.float64).log() / 4
labels = torch.eye(5, dtype=torch.float64)[[3, 0, 4]]
net.double()
torch.float32 = torch.float64
with torch.no_grad():
    golden = {"x": x, "noise": noise, "labels": labels, "F": net(x, noise, labels)}
save_file({**weights, **{"golden." + name: values.contiguous() for name, values in golden.items()}}, sys.argv[2])
