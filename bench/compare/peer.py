# SPDX-License-Identifier: MIT
"""The side of PyTorch, OpenVINO and ONNX Runtime in bench/compare/run.sh, of PyTorch in bench/cuda/run.sh; compare.py
drives it.

usage: peer.py ROW THREADS FILE SETTING DEVICE
Reads what compare_ours wrote to FILE, computes the same in the given setting on "cpu" or "cuda", prints the relative
difference of the results and then answers "run" with milliseconds, "rest" by giving unused memory back, and "quit"
with the peak MB: resident on the CPU, taken from the driver on a GPU. A row that ends in "+bfloat16" is computed
under autocast. Settings are layout+mode of PyTorch; "onnx+openvino" and "onnx+onnxruntime" run what PyTorch exports,
in float32 and, OpenVINO, for latency.
"""
import json
import logging
import math
import mmap
import os
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from torch import nn

SIGMA_DATA, EPSILON, SIGMA_MAX, RHO = 0.5, 0.002, 80.0, 7.0
SMALL = dict(channels=32, multipliers=(1, 2, 2), blocks=2, attention=(8,), embedding=128, groups=8)
DEMO = dict(channels=32, multipliers=(1, 2), blocks=2, attention=(7,), embedding=128, groups=8, heads=2, patch=2,
            image=28, colours=1)
DDPMPP = dict(channels=128, multipliers=(2, 2, 2), blocks=4, attention=(16,), embedding=512, groups=32,
              ddpmpp=True)
NCSNPP = dict(DDPMPP, ncsnpp=True)
KINDS = {"sample": DDPMPP, "small_sample": SMALL, "demo_sample": DEMO, "ncsnpp_sample": NCSNPP, "two_steps": DDPMPP,
         "demo_two_steps": DEMO, "heun": DDPMPP, "small_heun": SMALL, "train": SMALL, "train_demo": DEMO,
         "train_ddpmpp": DDPMPP, "train_ncsnpp": NCSNPP}


def read_safetensors(path):
    """Name -> float32 tensor that shares the file's mapped memory."""
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + length])
    header.pop("__metadata__", None)
    return {name: torch.frombuffer(data, dtype=torch.float32, count=math.prod(entry["shape"]),
                                   offset=8 + length + entry["data_offsets"][0]).view(entry["shape"])
            for name, entry in header.items()}


def attend_by_hand(q, k, v):
    return ((q * q.shape[-1]**-0.5) @ k.transpose(-2, -1)).softmax(-1) @ v


attend = getattr(F, "scaled_dot_product_attention", attend_by_hand)  # new in PyTorch 2.0


def binomial(x, up=False):
    """Half or twice the size by (1, 3, 3, 1)."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / (4 if up else 8)
    kernel = torch.outer(taps, taps).expand(x.shape[1], 1, -1, -1)
    convolve = F.conv_transpose2d if up else F.conv2d
    return convolve(x, kernel, stride=2, padding=1, groups=x.shape[1])


class Smaller(nn.Conv2d):
    """The image of NCSN++'s pyramid at the next level."""

    def forward(self, x):
        wide = F.conv2d(x, self.weight, padding=2)
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype, device=x.device) / 8
        kernel = torch.outer(taps, taps).expand(wide.shape[1], 1, -1, -1)
        return F.conv2d(wide, kernel, self.bias, stride=2, groups=wide.shape[1])


class Block(nn.Module):
    def __init__(self, cin, cout, embedding, groups, ddpmpp, resample=None, attends=False, ncsnpp=False,
                 heads=1):
        super().__init__()
        self.ncsnpp, self.heads = ncsnpp, heads
        norm = lambda c: nn.GroupNorm(groups, c, eps=1e-6 if ddpmpp else 1e-5)
        self.adds, self.resample = ddpmpp, resample
        self.norm0 = norm(cin)
        self.conv0 = nn.Conv2d(cin, cout, 3, padding=1)
        self.affine = nn.Linear(embedding, cout if ddpmpp else 2 * cout)
        self.norm1 = norm(cout)
        self.conv1 = nn.Conv2d(cout, cout, 3, padding=1)
        self.skip = nn.Conv2d(cin, cout, 1) if cin != cout or ddpmpp and resample else None
        self.norm2 = norm(cout) if attends else None
        self.qkv = nn.Conv2d(cout, 3 * cout, 1) if attends else None
        self.proj = nn.Conv2d(cout, cout, 1) if attends else None

    def resampled(self, x):
        if self.ncsnpp and self.resample:
            return binomial(x, self.resample == "up")
        if self.resample == "down":
            return F.avg_pool2d(x, 2)
        if self.resample == "up":
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return x

    def straight(self, x):
        if self.skip is None:
            return self.resampled(x)
        if self.resample == "up" and not self.ncsnpp:  # a 1x1 convolution commutes with it, and is cheaper first
            return self.resampled(self.skip(x))
        return self.skip(self.resampled(x))

    def attention(self, x):
        n, c, h, w = x.shape
        qkv = self.qkv(self.norm2(x)).permute(0, 2, 3, 1).reshape(n, h * w, 3, self.heads, c // self.heads)
        mixed = attend(*qkv.permute(0, 3, 1, 2, 4).unbind(3)).transpose(1, 2)
        return self.proj(mixed.reshape(n, h, w, c).permute(0, 3, 1, 2))

    def forward(self, x, embedding):
        h = self.conv0(self.resampled(F.silu(self.norm0(x))))
        affine = self.affine(embedding)[:, :, None, None]
        if self.adds:
            h = self.norm1(h + affine)
        else:
            scale, shift = affine.chunk(2, dim=1)
            h = torch.addcmul(shift, self.norm1(h), scale + 1)
        x = (self.straight(x) + self.conv1(F.silu(h))) * math.sqrt(0.5)
        if self.qkv is not None:
            x = (x + self.attention(x)) * math.sqrt(0.5)
        return x


class Network(nn.Module):
    """UNet, or with ddpmpp=True SongUNet, with ncsnpp=True too NCSN++; `named` has this library's name of each
    module."""

    def __init__(self, channels, multipliers, blocks, attention, embedding, groups, ddpmpp=False, ncsnpp=False, image=32,
                 colours=3, heads=1, patch=1):
        super().__init__()
        self.named = {}
        self.patch, image, colours = patch, image // patch, colours * patch**2
        self.half = channels // 2

        def keep(name, module):
            self.named[name] = module
            return module

        def block(name, cin, cout, resample=None, attends=False):
            return keep(name, Block(cin, cout, embedding, groups, ddpmpp, resample, attends, ncsnpp, heads))

        def name(path, level, rest):
            size = f"{image >> level}x{image >> level}"
            if ddpmpp:
                return f"{'enc' if path == 'down' else 'dec'}.{size}_" + (rest if rest in ("down", "up") else "block" + rest)
            return f"{path}{level}." + (rest if rest.isdigit() else "resample")

        first, last, norm = ((f"enc.{image}x{image}_conv", f"dec.{image}x{image}_aux_conv", f"dec.{image}x{image}_aux_norm")
                             if ddpmpp else ("in", "out", "out.norm"))
        self.embed0 = keep("map_layer0" if ddpmpp else "time.0", nn.Linear((1 + ncsnpp) * channels, embedding))
        self.embed1 = keep("map_layer1" if ddpmpp else "time.1", nn.Linear(embedding, embedding))
        self.first = keep(first, nn.Conv2d(colours, channels, 3, padding=1))
        self.down, self.middle, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.pyramid, self.ncsnpp, seen = nn.ModuleList(), ncsnpp, colours
        self.joins, skips, c = [], [channels], channels
        levels = len(multipliers)
        for level, m in enumerate(multipliers):
            if level > 0:
                attends = not ddpmpp and image >> level in attention
                self.down.append(block(name("down", level, "down"), c, c, "down", attends))
                if ncsnpp:
                    aux = f"enc.{image >> level}x{image >> level}_aux_residual"
                    self.pyramid.append(keep(aux, Smaller(seen, c, 3)))
                    seen = c
                skips.append(c)
            for i in range(blocks):
                self.down.append(block(name("down", level, str(i)), c, channels * m,
                                       attends=image >> level in attention))
                c = channels * m
                skips.append(c)
        deepest = image >> (levels - 1)
        if ddpmpp:
            self.middle.append(block(f"dec.{deepest}x{deepest}_in0", c, c, attends=True))
            self.middle.append(block(f"dec.{deepest}x{deepest}_in1", c, c))
        else:
            self.middle.append(block("middle", c, c, attends=deepest in attention))
        for level in reversed(range(levels)):
            here = image >> level in attention
            if level + 1 < levels:
                self.up.append(block(name("up", level, "up"), c, c, "up", here and not ddpmpp))
                self.joins.append(False)
            for i in range(blocks + 1):
                self.up.append(block(name("up", level, str(i)), c + skips.pop(), channels * multipliers[level],
                                     attends=here and (i == blocks or not ddpmpp)))
                self.joins.append(True)
                c = channels * multipliers[level]
        self.norm = keep(norm, nn.GroupNorm(groups, c, eps=1e-6 if ddpmpp else 1e-5))
        self.last = keep(last, nn.Conv2d(c, colours, 3, padding=1))
        self.sines_first = ddpmpp
        steps = self.half - 1 if ddpmpp else self.half  # EDM's frequencies end at 1/10000
        frequencies = 10000.0 ** (-torch.arange(self.half, dtype=torch.float64) / steps)
        self.register_buffer("frequencies", torch.zeros(channels) if ncsnpp else frequencies.float())

    @torch.no_grad()
    def load(self, theta):
        """Takes every parameter from this library's names and layouts: kernels (k, k, in, out), (in, out)."""
        unused = set(theta)
        if self.ncsnpp:
            self.frequencies.copy_(2 * math.pi * theta["map_noise.freqs"])
            unused.remove("map_noise.freqs")
        for prefix, module in self.named.items():
            for inner, parameter in module.named_parameters():
                name = f"{prefix}.{inner}"
                if name not in theta:  # UNet nests its attention
                    name = f"{prefix}.attention.{inner.replace('norm2', 'norm')}"
                values = theta[name]
                unused.remove(name)
                values = values.permute(3, 2, 0, 1) if values.dim() == 4 else values.t()
                parameter.copy_(values.reshape(parameter.shape))
        assert not unused, f"parameters without a place: {sorted(unused)}"

    def forward(self, x, time):
        angle = time[:, None] * self.frequencies
        halves = [angle.sin(), angle.cos()] if self.sines_first else [angle.cos(), angle.sin()]
        e = torch.cat(halves, dim=1)
        e = F.silu(self.embed1(F.silu(self.embed0(e))))
        if self.patch > 1:
            x = F.pixel_unshuffle(x, self.patch)  # of one colour, as this library orders channels
        h = self.first(x)
        skips, image, smaller = [h], x, iter(self.pyramid)
        for block in self.down:
            h = block(h, e)
            if self.ncsnpp and block.resample:
                h = image = (h + next(smaller)(image)) * math.sqrt(0.5)
            skips.append(h)
        for block in self.middle:
            h = block(h, e)
        for block, joins in zip(self.up, self.joins):
            h = block(torch.cat([h, skips.pop()], dim=1) if joins else h, e)
        y = self.last(F.silu(self.norm(h)))
        return F.pixel_shuffle(y, self.patch) if self.patch > 1 else y


class ConsistencyFunction(nn.Module):
    """With epsilon = 0 it is the denoiser of EDM."""

    def __init__(self, network, epsilon):
        super().__init__()
        self.network, self.epsilon = network, epsilon

    def forward(self, x, t):
        column = t[:, None, None, None]
        c_skip = SIGMA_DATA**2 / ((column - self.epsilon)**2 + SIGMA_DATA**2)
        c_out = SIGMA_DATA * (column - self.epsilon) / (column**2 + SIGMA_DATA**2).sqrt()
        c_in = 1 / (column**2 + SIGMA_DATA**2).sqrt()
        return c_skip * x + c_out * self.network(c_in * x, 0.25 * t.log())


def difference(a, b):
    """Relative RMS."""
    return ((a - b).square().mean().sqrt() / b.square().mean().sqrt()).item()


def images(values):
    return values.permute(0, 3, 1, 2)  # a view in channels_last


def karras_grid(points):
    """From EPSILON to SIGMA_MAX."""
    low, high = EPSILON**(1 / RHO), SIGMA_MAX**(1 / RHO)
    return [(low + i / (points - 1) * (high - low))**RHO for i in range(points)]


def two_steps(f, x, noise, batch):
    """Algorithm 1 of Song et al. (2023) with τ = 0.821."""
    t = torch.full((batch,), SIGMA_MAX, device=x.device)
    x = f(x, t) + math.sqrt(0.821**2 - EPSILON**2) * noise
    return f(x, torch.full_like(t, 0.821))


def heun(denoise, x, _, batch):
    """18 steps from SIGMA_MAX to 0, 35 evaluations (Karras et al. 2022, Algorithm 1)."""
    times = karras_grid(18)[::-1] + [0.0]
    velocity = lambda x, t: (x - denoise(x, torch.full((batch,), t, device=x.device))) / t
    for t, s in zip(times, times[1:]):
        d = velocity(x, t)
        euler = x + (s - t) * d
        x = x + 0.5 * (s - t) * (d + velocity(euler, s)) if s > 0 else euler
    return x


def exported(f, x, t, engine, threads):
    """f as the engine runs it, from ONNX."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "f.onnx")
        torch.onnx.export(f, (x, t), path, input_names=["x", "t"], output_names=["y"], dynamo=True, verbose=False)
        if engine == "onnxruntime":
            import onnxruntime
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            return lambda x, t: torch.from_numpy(session.run(None, {"x": x.numpy(), "t": t.numpy()})[0])
        import openvino
        compiled = openvino.Core().compile_model(path, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
        return lambda x, t: torch.from_numpy(compiled([x.numpy(), t.numpy()])[0])


def sampling(f, batch, file, setting, solve, autocast):
    layout, mode = setting.split("+", 1)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    f.eval()
    f.to(memory_format=memory)
    device = file["z"].device
    t = torch.full((batch,), SIGMA_MAX, device=device)

    with torch.inference_mode(), autocast():
        z = images(file["z"]).contiguous(memory_format=memory)
        if layout == "onnx":
            f = exported(f, SIGMA_MAX * z, t, mode, torch.get_num_threads())
        elif mode == "compile+freezing":
            import torch._inductor.config as inductor
            inductor.freezing = True
            f = torch.compile(f)
        elif mode == "compile+max-autotune":
            f = torch.compile(f, mode="max-autotune")
        elif mode.startswith("trace"):
            f = torch.jit.freeze(torch.jit.trace(f, (SIGMA_MAX * z, t)))
            if mode == "trace+optimized":
                f = torch.jit.optimize_for_inference(f)

        draw = lambda z, noise: solve(f, SIGMA_MAX * z, noise, batch) if solve else f(SIGMA_MAX * z, t)
        shape = z.shape
        normal = lambda: torch.randn(shape, device=device).contiguous(memory_format=memory)
        call = lambda: draw(normal(), normal() if solve is two_steps else None)
        check = difference(draw(z, images(file["noise"]).contiguous(memory_format=memory)), images(file["result"]))
        del file
        yield check
        while True:
            yield call()


def follow(averages, values, rate):
    if hasattr(torch, "_foreach_lerp_"):  # new in PyTorch 2.0
        torch._foreach_lerp_(averages, values, rate)
    else:
        torch._foreach_mul_(averages, 1 - rate)
        torch._foreach_add_(averages, values, alpha=rate)


def training(f, batch, file, setting, autocast):
    layout, mode = setting.split("+", 1)
    memory = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    f.to(memory_format=memory)
    parameters = list(f.parameters())
    averages = [p.detach().clone() for p in parameters]
    optimizer = torch.optim.RAdam(parameters, lr=4e-4, foreach=True)
    forward = f
    if mode.startswith("compile"):
        forward = torch.compile(f, mode="max-autotune" if mode == "compile+max-autotune" else None)
    c = 0.00054 * math.sqrt(file["x"][0].numel())
    points = 18
    device = file["x"].device
    grid = torch.tensor(karras_grid(points), device=device)
    x = images(file["x"]).contiguous(memory_format=memory)

    def step(z, t, r):
        if mode == "compile+max-autotune":
            torch.compiler.cudagraph_mark_step_begin()
        x_t = x + t[:, None, None, None] * z
        x_r = x + r[:, None, None, None] * z
        with torch.no_grad(), autocast():
            y = forward(x_r, r)
        with autocast():
            output = forward(x_t, t)
        s = (output - y).square().flatten(1).sum(1)
        loss = (s / ((s + c * c).sqrt() + c)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        follow(averages, [p.detach() for p in parameters], 1e-4)
        return loss.item()

    first = step(images(file["z"]).contiguous(memory_format=memory), file["t"], file["r"])
    check = abs(first / file["result"].item() - 1)
    del file
    yield check
    while True:
        n = torch.randint(points - 1, (batch,), device=device)
        yield step(torch.randn(x.shape, device=device).contiguous(memory_format=memory), grid[n + 1], grid[n])


class Cpu:
    def begin(self):
        """What was before this, preparation, counts no more for the peak."""
        with open("/proc/self/clear_refs", "w") as clear:
            clear.write("5")

    def wait(self):
        pass

    def rest(self):
        pass

    def peak_megabytes(self):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


class Cuda:
    def __init__(self):
        # A row in float32 is in float32: no TF32.
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark = True
        self.wait, self.rest = torch.cuda.synchronize, torch.cuda.empty_cache

    def begin(self):
        """As on the CPU, and for a profiler too."""
        self.rest()
        torch.cuda.reset_peak_memory_stats()
        torch.cuda.profiler.start()

    def peak_megabytes(self):
        return torch.cuda.max_memory_reserved() / 2**20


def main():
    row, threads, path, setting, device_name = sys.argv[1:]
    device = Cuda() if device_name == "cuda" else Cpu()
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    name, _, precision = row.partition("+")
    kind, batch = name.rsplit("_b", 1)
    autocast = lambda: torch.autocast(device_name, torch.bfloat16, enabled=precision == "bfloat16")
    file = read_safetensors(path)
    network = Network(**KINDS[kind])
    network.load({name[len("theta."):]: values for name, values in file.items() if name.startswith("theta.")})
    file = {name: values.to(device_name) for name, values in file.items() if not name.startswith("theta.")}
    f = ConsistencyFunction(network, 0.0 if kind.endswith("heun") else EPSILON).to(device_name)
    if kind.startswith("train"):
        runs = training(f, int(batch), file, setting, autocast)
    else:
        solve = heun if kind.endswith("heun") else two_steps if kind.endswith("two_steps") else None
        runs = sampling(f, int(batch), file, setting, solve, autocast)
    print(f"{next(runs):.3e}", flush=True)
    del file
    device.begin()
    while (line := sys.stdin.readline()) in ("run\n", "rest\n"):
        start = time.perf_counter()
        device.rest() if line == "rest\n" else next(runs)
        device.wait()
        print(f"{(time.perf_counter() - start) * 1e3:.4f}", flush=True)
    print(f"{device.peak_megabytes():.1f}", flush=True)


if __name__ == "__main__":
    main()
