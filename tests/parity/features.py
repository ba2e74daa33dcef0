# SPDX-License-Identifier: MIT
"""Feature networks in PyTorch, with random weights, for tests/parity.

usage: features.py NAME FILE; needs PyTorch. NAME is inception_v3, dinov2 (ViT-L/14) or small_dinov2. FILE is a .pt file: the
weights (float32, names of pytorch-fid and facebookresearch/dinov2), and behind "golden." the images x of range [-1, 1]
and, computed in float64, what the network makes of them.
"""
import sys

import torch
import torch.nn.functional as F


class Weights:
    """Parameters come into being, random, where they are first used; `state` has them by their names."""

    def __init__(self):
        self.state, self.draws = {}, torch.Generator().manual_seed(0)

    def p(self, name, *shape, std, mean=0.0):
        if name not in self.state:
            self.state[name] = torch.randn(*shape, generator=self.draws) * std + mean
        return self.state[name].double()

    def linear(self, x, name, out):
        return F.linear(x, self.p(f"{name}.weight", out, x.shape[1], std=x.shape[1] ** -0.5), self.p(f"{name}.bias", out, std=0.1))


class InceptionV3(Weights):
    """The graph of 2015-12-05: no padding in the means of its poolings, a maximum in its last block."""

    def bare(self, x, name, out, kernel=(1, 1), **more):
        inputs = x.shape[1] * kernel[0] * kernel[1]
        return F.conv2d(x, self.p(f"{name}.conv.weight", out, x.shape[1], *kernel, std=(2 / inputs) ** 0.5), **more)

    def conv(self, x, name, out, kernel=(1, 1), **more):
        x = self.bare(x, name, out, kernel, **more)
        mean, variance = self.p(f"{name}.bn.running_mean", out, std=0.1), self.p(f"{name}.bn.running_var", out, std=0.1, mean=1.0)
        weight, bias = self.p(f"{name}.bn.weight", out, std=0.1, mean=1.0), self.p(f"{name}.bn.bias", out, std=0.1)
        return F.relu(F.batch_norm(x, mean, variance, weight, bias, training=False, eps=1e-3))

    def chain(self, x, name, *steps):
        for step, out, kernel, more in steps:
            x = self.conv(x, f"{name}.{step}", out, kernel, **more)
        return x

    def block(self, x, name):
        one, three, five = ((1, 1), {}), ((3, 3), dict(padding=1)), ((5, 5), dict(padding=2))
        wide, tall = ((1, 7), dict(padding=(0, 3))), ((7, 1), dict(padding=(3, 0)))
        reducing = ((3, 3), dict(stride=2))
        mean = lambda: F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        if name[:7] == "Mixed_5":
            pooled = 32 if name == "Mixed_5b" else 64
            return torch.cat([self.chain(x, name, ("branch1x1", 64, *one)),
                              self.chain(x, name, ("branch5x5_1", 48, *one), ("branch5x5_2", 64, *five)),
                              self.chain(x, name, ("branch3x3dbl_1", 64, *one), ("branch3x3dbl_2", 96, *three), ("branch3x3dbl_3", 96, *three)),
                              self.chain(mean(), name, ("branch_pool", pooled, *one))], 1)
        if name == "Mixed_6a":
            return torch.cat([self.chain(x, name, ("branch3x3", 384, *reducing)),
                              self.chain(x, name, ("branch3x3dbl_1", 64, *one), ("branch3x3dbl_2", 96, *three), ("branch3x3dbl_3", 96, *reducing)),
                              F.max_pool2d(x, 3, stride=2)], 1)
        if name[:7] == "Mixed_6":
            c = {"b": 128, "c": 160, "d": 160, "e": 192}[name[-1]]
            return torch.cat([self.chain(x, name, ("branch1x1", 192, *one)),
                              self.chain(x, name, ("branch7x7_1", c, *one), ("branch7x7_2", c, *wide), ("branch7x7_3", 192, *tall)),
                              self.chain(x, name, ("branch7x7dbl_1", c, *one), ("branch7x7dbl_2", c, *tall), ("branch7x7dbl_3", c, *wide),
                                         ("branch7x7dbl_4", c, *tall), ("branch7x7dbl_5", 192, *wide)),
                              self.chain(mean(), name, ("branch_pool", 192, *one))], 1)
        if name == "Mixed_7a":
            return torch.cat([self.chain(x, name, ("branch3x3_1", 192, *one), ("branch3x3_2", 320, *reducing)),
                              self.chain(x, name, ("branch7x7x3_1", 192, *one), ("branch7x7x3_2", 192, *wide), ("branch7x7x3_3", 192, *tall),
                                         ("branch7x7x3_4", 192, *reducing)),
                              F.max_pool2d(x, 3, stride=2)], 1)
        wide, tall = ((1, 3), dict(padding=(0, 1))), ((3, 1), dict(padding=(1, 0)))
        a = self.chain(x, name, ("branch3x3_1", 384, *one))
        b = self.chain(x, name, ("branch3x3dbl_1", 448, *one), ("branch3x3dbl_2", 384, *three))
        pool = mean() if name == "Mixed_7b" else F.max_pool2d(x, 3, stride=1, padding=1)
        return torch.cat([self.chain(x, name, ("branch1x1", 320, *one)),
                          self.chain(a, name, ("branch3x3_2a", 384, *wide)), self.chain(a, name, ("branch3x3_2b", 384, *tall)),
                          self.chain(b, name, ("branch3x3dbl_3a", 384, *wide)), self.chain(b, name, ("branch3x3dbl_3b", 384, *tall)),
                          self.chain(pool, name, ("branch_pool", 192, *one))], 1)

    @staticmethod
    def resize(x, side=299):
        """TensorFlow 1's resize_bilinear: pixel i of the result lies at i * size / side of the image."""
        for axis in (2, 3):
            size = x.shape[axis]
            at = torch.arange(side, dtype=x.dtype) * size / side
            low = at.floor().long()
            part = (at - low).view(-1, *[1] * (3 - axis))
            x = x.index_select(axis, low) * (1 - part) + x.index_select(axis, (low + 1).clamp(max=size - 1)) * part
        return x

    def __call__(self, x):
        seen = (self.resize((x + 1) / 2 * 255) - 128) / 128
        h = self.conv(seen, "Conv2d_1a_3x3", 32, (3, 3), stride=2)
        h = self.conv(h, "Conv2d_2a_3x3", 32, (3, 3))
        h = F.max_pool2d(self.conv(h, "Conv2d_2b_3x3", 64, (3, 3), padding=1), 3, stride=2)
        h = self.conv(h, "Conv2d_3b_1x1", 80)
        h = F.max_pool2d(self.conv(h, "Conv2d_4a_3x3", 192, (3, 3)), 3, stride=2)
        for block in ("5b", "5c", "5d", "6a", "6b", "6c"):
            h = self.block(h, f"Mixed_{block}")
        spatial = self.bare(h, "Mixed_6d.branch1x1", 192)[:, :7].permute(0, 2, 3, 1).flatten(1)
        for block in ("6d", "6e", "7a", "7b", "7c"):
            h = self.block(h, f"Mixed_{block}")
        features = h.mean((2, 3))
        logits = self.linear(features, "fc", 1008)
        return {"seen": seen, "features": features, "spatial": spatial, "logits": logits}


class DinoV2(Weights):
    """Position embeddings of a grid of patches, resized as facebookresearch/dinov2 does."""

    def __init__(self, channels, blocks, heads, grid, patch=14):
        super().__init__()
        self.channels, self.blocks, self.heads, self.grid, self.patch = channels, blocks, heads, grid, patch

    def norm(self, x, name):
        c = x.shape[-1]
        return F.layer_norm(x, (c,), self.p(f"{name}.weight", c, std=0.1, mean=1.0), self.p(f"{name}.bias", c, std=0.1), 1e-6)

    def tokens(self, x, name, out):
        return self.linear(x.flatten(0, 1), name, out).unflatten(0, x.shape[:2])

    def positions(self, rows, columns):
        c, grid = self.channels, self.grid
        every = self.p("pos_embed", 1, 1 + grid * grid, c, std=1.0)
        if rows == columns == grid:
            return every
        image = every[:, 1:].reshape(1, grid, grid, c).permute(0, 3, 1, 2)
        image = F.interpolate(image, scale_factor=((rows + 0.1) / grid, (columns + 0.1) / grid), mode="bicubic")
        assert image.shape[-2:] == (rows, columns)
        return torch.cat([every[:, :1], image.permute(0, 2, 3, 1).reshape(1, -1, c)], 1)

    def __call__(self, x):
        c, heads = self.channels, self.heads
        colours = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]], dtype=x.dtype).view(2, 3, 1, 1)
        x = ((x + 1) / 2 - colours[0]) / colours[1]
        weight = self.p("patch_embed.proj.weight", c, 3, self.patch, self.patch, std=(3 * self.patch ** 2) ** -0.5)
        h = F.conv2d(x, weight, self.p("patch_embed.proj.bias", c, std=0.1), stride=self.patch)
        rows, columns = h.shape[-2:]
        first = self.p("cls_token", 1, 1, c, std=1.0).expand(len(x), -1, -1)
        h = torch.cat([first, h.flatten(2).transpose(1, 2)], 1) + self.positions(rows, columns)
        for i in range(self.blocks):
            block = f"blocks.{i}"
            qkv = self.tokens(self.norm(h, f"{block}.norm1"), f"{block}.attn.qkv", 3 * c)
            q, k, v = qkv.unflatten(2, (3, heads, c // heads)).permute(2, 0, 3, 1, 4)
            mixed = ((q @ k.transpose(-2, -1)) * (c // heads) ** -0.5).softmax(-1) @ v
            mixed = self.tokens(mixed.transpose(1, 2).flatten(2), f"{block}.attn.proj", c)
            h = h + mixed * self.p(f"{block}.ls1.gamma", c, std=0.3, mean=0.5)
            hidden = F.gelu(self.tokens(self.norm(h, f"{block}.norm2"), f"{block}.mlp.fc1", 4 * c))
            h = h + self.tokens(hidden, f"{block}.mlp.fc2", c) * self.p(f"{block}.ls2.gamma", c, std=0.3, mean=0.5)
        self.p("mask_token", 1, c, std=1.0)
        return {"features": self.norm(h, "norm")[:, 0]}


NETWORKS = {"inception_v3": (InceptionV3, (2, 3, 32, 40)),
            "small_dinov2": (lambda: DinoV2(channels=48, blocks=3, heads=3, grid=7), (3, 3, 42, 56)),
            "dinov2": (lambda: DinoV2(channels=1024, blocks=24, heads=16, grid=37), (1, 3, 224, 224))}


def main(name, path):
    network, shape = NETWORKS[name]
    net = network()
    x = torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.no_grad():
        result = net(x.double())
    torch.save({**net.state, "golden.x": x.double(), **{f"golden.{key}": value.contiguous() for key, value in result.items()}}, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
