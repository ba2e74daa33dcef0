# SPDX-License-Identifier: MIT
"""Writes a small NCSN++ with random weights, and what EDM's own program computes with them.

usage: ncsnpp.py EDM OUT, with EDM a checkout of github.com/NVlabs/edm; needs PyTorch and safetensors
OUT is ncsnpp.safetensors. Weights, in float32, have the names of EDM's files ("model." and constants included). Behind
"golden.", in float64: x, noise, labels of classes, augment (labels of augmentation) and F, the network's output; plain is
the same without the labels of augmentation. Where EDM itself casts to single precision, double is taken.
"""
import sys
import types

import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
sys.modules.setdefault("requests", types.ModuleType("requests"))  # imported there, and used to download alone
from training import networks

torch.manual_seed(0)
net = networks.SongUNet(img_resolution=8, in_channels=3, out_channels=3, label_dim=5, augment_dim=9, model_channels=8,
                        channel_mult=[1, 2, 1], channel_mult_emb=2, num_blocks=1, attn_resolutions=[4], dropout=0.1,
                        embedding_type="fourier", channel_mult_noise=2, encoder_type="residual", decoder_type="standard",
                        resample_filter=[1, 3, 3, 1]).eval()
for parameter in net.parameters():  # far from the initial zeros, so that every branch and the time count
    torch.nn.init.normal_(parameter, std={1: 0.5, 2: 0.6, 4: 0.2}[parameter.dim()])
net.map_noise.freqs.mul_(0.1)
weights = {"model." + name: values.float().contiguous() for name, values in net.state_dict().items()}
x = torch.randn(3, 3, 8, 8, dtype=torch.float64)
noise = torch.tensor([0.01, 0.9, 30.0], dtype=torch.float64).log() / 4
labels = torch.eye(5, dtype=torch.float64)[[3, 0, 4]]
augment = torch.randn(3, 9, dtype=torch.float64)
net.double()
torch.float32 = torch.float64
with torch.no_grad():
    golden = {"x": x, "noise": noise, "labels": labels, "augment": augment, "F": net(x, noise, labels, augment),
              "plain": net(x, noise, labels)}
save_file({**weights, **{"golden." + name: values.contiguous() for name, values in golden.items()}}, sys.argv[2])
