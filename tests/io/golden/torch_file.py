# SPDX-License-Identifier: MIT
"""Writes what PyTorch's files may hold, for tests/io/torch_file.cpp. usage: torch_file.py DIR; needs PyTorch."""
import os
import sys

import torch

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
save = lambda name, what: torch.save(what, os.path.join(folder, name))
flat = torch.arange(24, dtype=torch.float32)
state = {"conv.weight": flat[4:16].view(2, 2, 3, 1), "linear.weight": flat[:8].view(4, 2).t(), "linear.bias": flat[20:22]}
save("views.pt", state)
save("types.pt", {"half": torch.tensor([1.5, -2]).half(), "bfloat": torch.tensor([1.5, -2]).bfloat16(),
                  "double": torch.tensor([1.5, -2.0], dtype=torch.float64), "long": torch.tensor([3, -4]),
                  "parameter": torch.nn.Parameter(torch.tensor([5.0])), "empty": torch.zeros(0, 3), "number": torch.tensor(7.0)})
torch.manual_seed(0)
module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
save("checkpoint.pt", {"model": module.state_dict(), "epoch": 3, "note": "text", "rates": [0.1, 0.2], "best": None,
                       "optimizer": torch.optim.Adam(module.parameters()).state_dict()})
save("module.pt", module)


class Attack:
    def __reduce__(self):
        return os.system, ("echo attacked",)


save("attack.pt", {"weight": torch.zeros(2), "extra": Attack()})
torch.save(state, os.path.join(folder, "legacy.pt"), _use_new_zipfile_serialization=False)
