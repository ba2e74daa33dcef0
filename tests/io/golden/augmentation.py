# SPDX-License-Identifier: MIT
"""Writes images under fixed transforms, and what EDM's own program for augmentation makes of them.

usage: augmentation.py EDM OUT, with EDM a checkout of github.com/NVlabs/edm; needs PyTorch and safetensors
OUT is augmentation.safetensors. Each row of "draws" is what the random numbers are made to say: mirrored, upside down,
the normal draw of the size, the angle, the normal draw of the stretch, its direction, two normal draws of the shift. A
number of 0 is a transform that is not done. "images" (n, c, h, w) become "moved", with "labels" (n, 9).
"""
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

sys.path.insert(0, sys.argv[1])
sys.modules.setdefault("requests", types.ModuleType("requests"))  # imported there, and used to download alone
from training import augment

draws = torch.tensor([
    [1, 0, 0, 0, 0, 0, 0, 0],
    [0, 1, 0, 0, 0, 0, 0.7, -0.4],
    [0, 0, 1.3, 0, 0, 0, 0, 0],
    [1, 1, 0, 0.9, 0, 0, 0, 0],
    [0, 0, 0, 0, -0.8, 0.6, 0, 0],
    [1, 0, -1.1, -2.5, 0.5, -1.4, -0.3, 1.2],
], dtype=torch.float64)
torch.set_default_dtype(torch.float64)
torch.manual_seed(0)
images = torch.randn(len(draws), 2, 10, 14, dtype=torch.float64)
moved, labels = [], []
for image, (mirrored, turned, size, angle, stretch, direction, right, down) in zip(images, draws.tolist()):
    # In the order in which the program asks, with a probability of 1.
    coins = iter([mirrored, turned])
    normals = iter([[size], [stretch], [[right], [down]]])
    rand = iter([0, 0, 0, angle / (2 * np.pi) + 0.5, 0, direction / (2 * np.pi) + 0.5, 0, 0, 0])
    torch.randint = lambda high, shape, **_: torch.full(shape, int(next(coins)))
    torch.randn = lambda shape, **_: torch.tensor(next(normals), dtype=torch.float64)
    torch.rand = lambda shape, **_: torch.full(shape, next(rand), dtype=torch.float64)
    pipe = augment.AugmentPipe(p=1, xflip=1, yflip=1, scale=1, rotate_frac=1, aniso=1, translate_frac=1)
    out, label = pipe(image[None])
    moved.append(out[0]), labels.append(label[0].double())
save_file({"draws": draws, "images": images, "moved": torch.stack(moved).double().contiguous(), "labels": torch.stack(labels)}, sys.argv[2])
