# SPDX-License-Identifier: MIT
"""The ten kernels that a row of the comparison spends longest in, by NVIDIA's nsys.

usage: kernels.py COMMAND...
COMMAND is what compare.py starts for a row, of either side. Prints, of one call: milliseconds, launches, name.
"""
import csv
import pathlib
import subprocess
import sys
import tempfile

CALLS = 10


def main():
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.nsys-rep"
        # Both sides call cudaProfilerStart once they are ready. Kernels of recorded work are listed one by one.
        subprocess.run(["nsys", "profile", "--trace=cuda", "--sample=none", "--cpuctxsw=none", "--cuda-graph-trace=node",
                        "--capture-range=cudaProfilerApi", f"--output={report}", *sys.argv[1:]],
                       input="run\n" * CALLS + "quit\n", text=True, check=True, stdout=subprocess.DEVNULL)
        table = subprocess.run(["nsys", "stats", "--report=cuda_gpu_kern_sum", "--format=csv", report],
                               text=True, check=True, capture_output=True).stdout
    lines = table[table.index("Time (%)"):].splitlines()
    kernels = sorted(csv.DictReader(lines), key=lambda k: -float(k["Total Time (ns)"]))
    for kernel in kernels[:10]:
        print(f"{float(kernel['Total Time (ns)']) / CALLS / 1e6:9.3f} ms {float(kernel['Instances']) / CALLS:7.1f}  "
              f"{kernel['Name'][:120]}")


if __name__ == "__main__":
    main()
