#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares the real times of two runs of a benchmark program, each Google Benchmark's JSON."""

import argparse
import json
import statistics

SECONDS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
NOTABLE = 0.05


def real_times(path):
    """Seconds by name: the median over repetitions, or the aggregate where only aggregates were written."""
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)["benchmarks"]
    repetitions, medians, means = {}, {}, {}
    for entry in entries:
        if entry.get("error_occurred"):
            continue
        name = entry.get("run_name", entry["name"])
        kind = entry.get("aggregate_name")
        if kind is None:
            repetitions.setdefault(name, []).append(entry["real_time"] * SECONDS[entry["time_unit"]])
        elif kind == "median":
            medians[name] = entry["real_time"] * SECONDS[entry["time_unit"]]
        elif kind == "mean":
            means[name] = entry["real_time"] * SECONDS[entry["time_unit"]]
    return means | medians | {name: statistics.median(times) for name, times in repetitions.items()}


def text(seconds):
    for unit in ("s", "ms", "us"):
        if seconds >= SECONDS[unit]:
            return f"{seconds / SECONDS[unit]:.3g} {unit}"
    return f"{seconds / SECONDS['ns']:.3g} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("a", metavar="A.json", help="before")
    parser.add_argument("b", metavar="B.json", help="after")
    arguments = parser.parse_args()
    a, b = real_times(arguments.a), real_times(arguments.b)

    common = sorted(a.keys() & b.keys(), key=lambda name: a[name] / b[name], reverse=True)
    width = max((len(name) for name in common), default=4)
    print(f"{'name':{width}}  {'A':>9}  {'B':>9}  {'A / B':>7}")
    for name in common:
        ratio = a[name] / b[name]
        mark = "  B faster" if ratio > 1 + NOTABLE else "  B slower" if ratio < 1 - NOTABLE else ""
        print(f"{name:{width}}  {text(a[name]):>9}  {text(b[name]):>9}  {ratio:7.3f}{mark}")
    for path, only in ((arguments.a, a.keys() - b.keys()), (arguments.b, b.keys() - a.keys())):
        for name in sorted(only):
            print(f"only in {path}: {name}")


if __name__ == "__main__":
    main()
