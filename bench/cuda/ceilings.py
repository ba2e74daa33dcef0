# SPDX-License-Identifier: MIT
"""What the device gives at most, by PyTorch: bandwidth of a copy, and products of large matrices.

usage: ceilings.py DEVICE [SIZE]
Prints JSON. SIZE is that of the matrices, 8192 unless told.
"""
import json
import statistics
import sys
import time

import torch


def seconds(device, work):
    """Of one of ten calls in a row, the median of seven times after one to warm up."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    times = []
    for _ in range(8):
        wait()
        start = time.perf_counter()
        for _ in range(10):
            work()
        wait()
        times.append((time.perf_counter() - start) / 10)
    return statistics.median(times[1:])


def main():
    device, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 8192
    torch.backends.cuda.matmul.allow_tf32 = False
    about = {"gpu": torch.cuda.get_device_name() if device == "cuda" else "", "cuda": torch.version.cuda}
    source = torch.ones(4 * size * size, device=device)
    target = torch.empty_like(source)
    about["gigabytes_per_s"] = 2 * source.nbytes / seconds(device, lambda: target.copy_(source)) / 1e9
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.randn(2, size, size, device=device).to(dtype)
        c = torch.empty_like(a)
        about[f"{str(dtype).removeprefix('torch.')}_tflops"] = (
            2 * size**3 / seconds(device, lambda: torch.mm(a, b, out=c)) / 1e12)
    print(json.dumps(about))


if __name__ == "__main__":
    main()
