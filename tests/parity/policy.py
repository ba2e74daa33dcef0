# SPDX-License-Identifier: MIT
"""The conditional 1-D U-Net of diffusion policies in PyTorch, with random weights, for tests/parity and tests/io.

usage: policy.py NAME FILE; needs PyTorch. NAME is push_t_state, push_t_keypoints or small_push_t. FILE is a .pt or .safetensors
file: the weights (float32, names of real-stanford/diffusion_policy), and behind "golden." the chunks x, times, observations and,
computed in float64, what the network makes of them; of the small one in a .pt file also the gradients of the sum of the result
times "weights".
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

FULL = dict(widths=(256, 512, 1024), embedding=256)
NETWORKS = {"push_t_state": dict(FULL, observed=10), "push_t_keypoints": dict(FULL, observed=40),
            "small_push_t": dict(widths=(8, 16), embedding=8, observed=3, horizon=8)}


class Net:
    """Parameters come into being, random, where they are first used; `state` has them by their names."""

    def __init__(self, widths, embedding, observed, horizon=16, actions=2, kernel=5):
        self.widths, self.embedding, self.observed, self.horizon, self.actions = widths, embedding, observed, horizon, actions
        self.kernel, self.state, self.draws = kernel, {}, torch.Generator().manual_seed(0)

    def p(self, name, *shape, std, mean=0.0):
        if name not in self.state:
            self.state[name] = torch.randn(*shape, generator=self.draws) * std + mean
        return self.state[name].double()

    def linear(self, x, name, out):
        return F.linear(x, self.p(f"{name}.weight", out, x.shape[1], std=x.shape[1] ** -0.5), self.p(f"{name}.bias", out, std=0.1))

    def conv(self, x, name, out, kernel, **more):
        weight = self.p(f"{name}.weight", out, x.shape[1], kernel, std=(x.shape[1] * kernel) ** -0.5)
        return F.conv1d(x, weight, self.p(f"{name}.bias", out, std=0.1), padding=kernel // 2, **more)

    def convolved(self, x, name, out):
        h = self.conv(x, f"{name}.block.0", out, self.kernel)
        return F.mish(F.group_norm(h, 8, self.p(f"{name}.block.1.weight", out, std=0.1, mean=1.0), self.p(f"{name}.block.1.bias", out, std=0.1)))

    def block(self, x, name, out, c):
        scale, bias = self.linear(F.mish(c), f"{name}.cond_encoder.1", 2 * out)[:, :, None].chunk(2, 1)
        h = self.convolved(scale * self.convolved(x, f"{name}.blocks.0", out) + bias, f"{name}.blocks.1", out)
        return h + (self.conv(x, f"{name}.residual_conv", out, 1) if x.shape[1] != out else x)

    def __call__(self, x, time, observations):
        half = self.embedding // 2
        angle = torch.outer(time, 10000 ** (-torch.arange(half, dtype=time.dtype) / (half - 1)))
        c = self.linear(torch.cat([angle.sin(), angle.cos()], 1), "diffusion_step_encoder.1", 4 * self.embedding)
        c = torch.cat([self.linear(F.mish(c), "diffusion_step_encoder.3", self.embedding), observations], 1)
        h, skips, levels = x.transpose(1, 2), [], len(self.widths)
        for level, width in enumerate(self.widths):
            h = self.block(self.block(h, f"down_modules.{level}.0", width, c), f"down_modules.{level}.1", width, c)
            skips.append(h)
            if level + 1 < levels:
                h = self.conv(h, f"down_modules.{level}.2.conv", width, 3, stride=2)
        h = self.block(self.block(h, "mid_modules.0", width, c), "mid_modules.1", width, c)
        for i, width in enumerate(reversed(self.widths[:-1])):  # the first level's skip is left
            h = self.block(torch.cat([h, skips.pop()], 1), f"up_modules.{i}.0", width, c)
            h = self.block(h, f"up_modules.{i}.1", width, c)
            weight = self.p(f"up_modules.{i}.2.conv.weight", width, width, 4, std=(2 * width) ** -0.5)
            h = F.conv_transpose1d(h, weight, self.p(f"up_modules.{i}.2.conv.bias", width, std=0.1), stride=2, padding=1)
        return self.conv(self.convolved(h, "final_conv.0", width), "final_conv.1", self.actions, 1).transpose(1, 2)


def save(tensors, path):
    if not path.endswith(".safetensors"):
        return torch.save(tensors, path)
    header, data = {}, b""
    for name, values in tensors.items():
        raw = values.numpy().tobytes()
        kind = {torch.float32: "F32", torch.float64: "F64"}[values.dtype]
        header[name] = {"dtype": kind, "shape": list(values.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def main(name, path):
    small = name.startswith("small_")
    net = Net(**NETWORKS[name])
    torch.manual_seed(1)
    n = 3 if small else 1
    x, weights = torch.randn(n, net.horizon, net.actions).double(), torch.randn(n, net.horizon, net.actions).double()
    time = torch.tensor([3.0, 0.25, 87.0][:n]).double()
    observations = torch.randn(n, net.observed).double()
    with torch.no_grad():
        result = {"F": net(x, time, observations)}
    state = dict(net.state)
    print(sum(values.numel() for values in state.values()), "parameters")
    if small and not path.endswith(".safetensors"):
        net.state = {key: value.double().requires_grad_() for key, value in state.items()}
        (net(x, time, observations) * weights).sum().backward()
        result |= {f"grad.{key}": value.grad.float() for key, value in net.state.items()}
    extra = {"golden.x": x, "golden.noise": time, "golden.labels": observations, "golden.weights": weights}
    save({**state, **extra, **{f"golden.{key}": value.contiguous() for key, value in result.items()}}, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
