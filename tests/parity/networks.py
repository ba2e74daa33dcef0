# SPDX-License-Identifier: MIT
"""DDPM++, NCSN++ and ADM in PyTorch, with random weights, for tests/parity.

usage: networks.py NAME FILE; needs PyTorch. NAME is ddpmpp, ncsnpp, adm64 (the papers' sizes), or one of these with
"small_" before it. FILE is a .pt file: the weights (float32, EDM's names), x, noise, labels, and, computed in float64,
the output F; of small networks also the gradient of sum(F * weights) by each parameter, behind "grad.".
"""
import math
import sys

import torch
import torch.nn.functional as F

FULL = {"ddpmpp": dict(image=32, channels=128, multipliers=(2, 2, 2), blocks=4, attention=(16,)),
        "ncsnpp": dict(image=32, channels=128, multipliers=(2, 2, 2), blocks=4, attention=(16,)),
        "adm64": dict(image=64, channels=192, multipliers=(1, 2, 3, 4), blocks=3, attention=(32, 16, 8), classes=1000)}
SMALL = {name: dict(s, image=16, channels=32, multipliers=(1, 2), blocks=1, attention=(8,)) for name, s in FULL.items()}


class Net:
    """Parameters come into being, random, where they are first used; `state` has them by EDM's names."""

    def __init__(self, kind, image, channels, multipliers, blocks, attention, classes=0):
        self.kind, self.image, self.channels, self.multipliers = kind, image, channels, multipliers
        self.blocks, self.attends, self.classes = blocks, attention, classes
        self.adm = kind == "adm64"
        self.scale = 1 if self.adm else math.sqrt(0.5)
        self.state, self.draws = {}, torch.Generator().manual_seed(0)

    def p(self, name, *shape, std):
        if name not in self.state:
            self.state[name] = torch.randn(*shape, generator=self.draws) * std + (1 if name.split(".")[-2].startswith("norm") and name.endswith("weight") else 0)
        return self.state[name].double() if self.state[name].dtype != torch.float64 else self.state[name]

    def conv(self, x, name, out, k=3, **more):
        w = self.p(f"{name}.weight", out, x.shape[1], k, k, std=1 / math.sqrt(x.shape[1] * k * k))
        return F.conv2d(x, w, self.p(f"{name}.bias", out, std=0.1), padding=more.pop("padding", k // 2), **more)

    def linear(self, x, name, out):
        return F.linear(x, self.p(f"{name}.weight", out, x.shape[1], std=1 / math.sqrt(x.shape[1])), self.p(f"{name}.bias", out, std=0.1))

    def norm(self, x, name):
        c = x.shape[1]
        return F.group_norm(x, min(32, c // 4), self.p(f"{name}.weight", c, std=0.1), self.p(f"{name}.bias", c, std=0.1),
                            1e-5 if self.adm else 1e-6)

    def resample(self, x, way):
        if not way:
            return x
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0] if self.kind == "ncsnpp" else [1.0, 1.0], dtype=x.dtype)
        taps, c = taps / taps.sum(), x.shape[1]
        kernel = torch.outer(taps, taps).expand(c, 1, -1, -1)
        pad = (len(taps) - 1) // 2
        if way == "up":
            return F.conv_transpose2d(x, 4 * kernel, stride=2, padding=pad, groups=c)
        return F.conv2d(x, kernel, stride=2, padding=pad, groups=c)

    def block(self, x, name, out, embedding, way="", attends=False):
        h = self.conv(self.resample(F.silu(self.norm(x, f"{name}.norm0")), way), f"{name}.conv0", out)
        affine = self.linear(embedding, f"{name}.affine", 2 * out if self.adm else out)[:, :, None, None]
        if self.adm:
            scale, shift = affine.chunk(2, dim=1)
            h = F.silu(self.norm(h, f"{name}.norm1") * (1 + scale) + shift)
        else:
            h = F.silu(self.norm(h + affine, f"{name}.norm1"))
        h = self.conv(h, f"{name}.conv1", out)
        skip = self.resample(x, way)
        if x.shape[1] != out or (way and not self.adm):
            skip = self.conv(skip, f"{name}.skip", out, k=1)
        x = (h + skip) * self.scale
        if attends:
            n, c, height, width = x.shape
            heads = c // 64 if self.adm and c >= 64 else 1
            qkv = self.conv(self.norm(x, f"{name}.norm2"), f"{name}.qkv", 3 * c, k=1)
            q, k, v = qkv.reshape(n, heads, c // heads, 3, -1).unbind(3)  # of channel j: rows 3j, 3j + 1, 3j + 2
            a = torch.einsum("nhct,nhcs->nhts", q, k / math.sqrt(c // heads)).softmax(-1)
            mixed = torch.einsum("nhts,nhcs->nhct", a, v).reshape(n, c, height, width)
            x = (x + self.conv(mixed, f"{name}.proj", c, k=1)) * self.scale
        return x

    def embedding(self, noise, labels):
        c = self.channels
        if self.kind == "ncsnpp":
            angle = 2 * math.pi * torch.outer(noise, self.p("map_noise.freqs", c, std=2))
        else:
            i = torch.arange(c // 2, dtype=noise.dtype)
            angle = torch.outer(noise, 10000 ** (-i / (c // 2 - (0 if self.adm else 1))))
        features = torch.cat([angle.cos(), angle.sin()] if self.adm else [angle.sin(), angle.cos()], 1)
        e = self.linear(F.silu(self.linear(features, "map_layer0", 4 * c)), "map_layer1", 4 * c)
        if labels is not None:
            e = e + labels @ self.p("map_label.weight", 4 * c, labels.shape[1], std=1).t()
        return F.silu(e)

    def __call__(self, x, noise, labels=None):
        e, size, levels = self.embedding(noise, labels), lambda level: f"{self.image >> level}x{self.image >> level}", len(self.multipliers)
        image, h, skips = x, x, []
        for level, m in enumerate(self.multipliers):
            if level == 0:
                h = self.conv(h, f"enc.{size(0)}_conv", self.channels)
            else:
                h = self.block(h, f"enc.{size(level)}_down", h.shape[1], e, "down")
                if self.kind == "ncsnpp":
                    name = f"enc.{size(level)}_aux_residual"
                    c = h.shape[1]
                    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
                    wide = self.conv(image, name, c, padding=2) - self.p(f"{name}.bias", c, std=0.1)[:, None, None]
                    image = F.conv2d(wide, torch.outer(taps, taps).expand(c, 1, -1, -1), stride=2, groups=c) + self.state[f"{name}.bias"].double()[:, None, None]
                    h = image = (h + image) * math.sqrt(0.5)
            skips.append(h)
            for i in range(self.blocks):
                h = self.block(h, f"enc.{size(level)}_block{i}", self.channels * m, e, attends=self.image >> level in self.attends)
                skips.append(h)
        last = levels - 1
        h = self.block(h, f"dec.{size(last)}_in0", h.shape[1], e, attends=True)
        h = self.block(h, f"dec.{size(last)}_in1", h.shape[1], e)
        for level in reversed(range(levels)):
            if level < last:
                h = self.block(h, f"dec.{size(level)}_up", h.shape[1], e, "up")
            for i in range(self.blocks + 1):
                at = self.image >> level in self.attends and (self.adm or i == self.blocks)
                h = self.block(torch.cat([h, skips.pop()], 1), f"dec.{size(level)}_block{i}", self.channels * self.multipliers[level], e, attends=at)
        norm, conv = ("out_norm", "out_conv") if self.adm else (f"dec.{size(0)}_aux_norm", f"dec.{size(0)}_aux_conv")
        return self.conv(F.silu(self.norm(h, norm)), conv, x.shape[1])


def main(name, path):
    small, kind = name.startswith("small_"), name.removeprefix("small_")
    net = Net(kind, **(SMALL if small else FULL)[kind])
    torch.manual_seed(1)
    n = 2 if small else 1
    x = torch.randn(n, 3, net.image, net.image)
    noise = torch.tensor([0.7, 20.0][:n]).log() / 4
    labels = torch.eye(net.classes)[torch.arange(n) * 7 % net.classes] if net.classes else None
    weights = torch.randn(x.shape)
    run = lambda: net(x.double(), noise.double(), None if labels is None else labels.double())
    with torch.no_grad():
        result = {"F": run()}
    state = dict(net.state)
    if small:
        net.state = {key: value.double().requires_grad_() for key, value in state.items()}
        (run() * weights.double()).sum().backward()
        result |= {f"grad.{key}": torch.zeros_like(v) if v.grad is None else v.grad for key, v in net.state.items()}
    extra = {"golden.x": x.double(), "golden.noise": noise.double(), "golden.weights": weights.double()}
    if labels is not None:
        extra["golden.labels"] = labels.double()
    torch.save({**state, **extra, **{f"golden.{key}": value.contiguous() for key, value in result.items()}}, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
