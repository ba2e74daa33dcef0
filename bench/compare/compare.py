# SPDX-License-Identifier: MIT
"""Times this library and the fastest of its peers in turn, row by row, and prints a table. Started by run.sh, there and
in bench/cuda."""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TARGETS = {"sample_b1": 2.3, "sample_b32": 2.5, "small_sample_b1": 3.5, "small_sample_b64": 2.3,
           "train_b32": 2.2, "train_ddpmpp_b8": 2.2, "train_demo_b64": 2.0,
           "demo_sample_b64": 2.0}  # how many times faster than the fastest peer, on the CPU
MEMORY_TARGETS = {"train_ddpmpp_b8": 0.7, "train_ncsnpp_b8": 0.7}  # peak memory, in units of PyTorch's
CUDA_ROWS = [f"{name}{precision}" for precision in ("", "+bfloat16")
             for name in ("train_ddpmpp_b64", "train_ddpmpp_b512", "sample_b1", "sample_b64", "sample_b512", "heun_b64")]
ROW = re.compile(r"((small_)?(sample|heun)|(demo|ncsnpp)_sample|(demo_)?two_steps|train(_ddpmpp|_ncsnpp|_demo)?)"
                 r"_b[1-9][0-9]*(\+bfloat16)?")
CUDA = ["channels_last+eager", "channels_last+compile+max-autotune"]
SAMPLING = ["contiguous+eager", "channels_last+eager", "channels_last+trace", "contiguous+trace+optimized",
            "contiguous+compile+freezing", "channels_last+compile+freezing", "onnx+openvino", "onnx+onnxruntime"]
TRAINING = [f"{layout}+{mode}" for mode in ("eager", "compile") for layout in ("contiguous", "channels_last")]
PAUSE = 0.05  # seconds: lets the idle threads of one library fall asleep before the other starts
ROUND = 0.5  # seconds that a round takes at least, in up to 10 calls
BUSY = 0.05  # cores, beside those left over, that other programs may use without a word
HERE = pathlib.Path(__file__).parent


def busy_seconds():
    """Of all cores, all processes."""
    user, nice, system, _, _, *interrupts = map(int, open("/proc/stat").readline().split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


class Worker:
    """One process that runs one row: a line "run" gives milliseconds, "quit" the peak MB. One that `rests` gives
    unused memory back after each round, so that the other has the whole device."""

    def __init__(self, command, log, rests):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                                        text=True)
        self.log, self.rests = log, rests
        self.greeting = self.answer()

    def answer(self):
        line = self.process.stdout.readline().strip()
        if not line:
            status = self.process.wait()
            last = (pathlib.Path(self.log.name).read_text().splitlines() or [""])[-1]
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} ended with status {status}: {last}")
        return line

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return float(self.answer())

    def busy_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def round(self):
        """The median milliseconds of a few calls."""
        time.sleep(PAUSE)
        if self.rests:
            self.ask("run")
        calls = []
        while not calls or (sum(calls) < 1e3 * ROUND and len(calls) < 10):
            calls.append(self.ask("run"))
        if self.rests:
            self.ask("rest")
        return statistics.median(calls)

    def quit(self):
        peak = self.ask("quit")
        self.process.wait()
        return peak

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def compare(row, options, folder, log):
    file = folder / f"{row}.safetensors"
    rests = options.device == "cuda"
    our_command = [options.ours, row, str(options.threads), file]
    peer_command = lambda setting: [options.python, HERE / "peer.py", row, str(options.threads), file, setting,
                                    options.device]
    peer = lambda setting: Worker(peer_command(setting), log, rests)
    with Worker(our_command, log, rests) as ours:
        times = {}
        settings = (options.settings.split(",") if options.settings else CUDA if options.device == "cuda"
                    else TRAINING if row.startswith("train") else SAMPLING)
        for setting in settings:
            try:
                with peer(setting) as candidate:
                    candidate.round()
                    times[setting] = min(candidate.round() for _ in range(2))
                    print(f"  {row}: {setting} {times[setting]:.1f} ms", file=sys.stderr, flush=True)
            except RuntimeError as failure:
                print(f"  {row}: not in {setting} ({failure})", file=sys.stderr, flush=True)
        if not times:
            raise RuntimeError(f"no peer runs {row}; see {log.name}")
        setting = min(times, key=times.get)

        with peer(setting) as other:
            difference = float(other.greeting)
            contestants = {"ours": ours, "peer": other}
            for worker in contestants.values():
                worker.round()
            rounds = {name: [] for name in contestants}
            others = lambda: busy_seconds() - sum(worker.busy_seconds() for worker in contestants.values())
            start, others_before = time.monotonic(), others()
            for i in range(options.rounds):  # who goes first alternates
                for name in list(contestants)[::1 if i % 2 == 0 else -1]:
                    rounds[name].append(contestants[name].round())
            others_cores = (others() - others_before) / (time.monotonic() - start)
            left = len(os.sched_getaffinity(0)) - options.threads
            result = {"name": row, "rounds": options.rounds, "peer_setting": setting,
                      "peer_settings_ms": times, "difference": difference,
                      "others_cores": round(max(0, others_cores), 3), "disturbed": others_cores > left + BUSY}
            for name, worker in contestants.items():
                result[f"{name}_ms"] = statistics.median(rounds[name])
                result[f"{name}_peak_mb"] = worker.quit()
    if options.kernels:
        for name, command in {"ours": our_command, "peer": peer_command(setting)}.items():
            print(f"\n{row}, {name}: the longest kernels of a call", flush=True)
            subprocess.run([sys.executable, HERE.parent / "cuda" / "kernels.py", *command], stderr=log)
    file.unlink()
    agree = difference <= (5e-2 if row.endswith("+bfloat16") else 1e-3 if row.startswith("train") else 1e-4)
    result["ratio"] = result["peer_ms"] / result["ours_ms"] if agree else None
    result["memory_ratio"] = result["ours_peak_mb"] / result["peer_peak_mb"] if agree else None
    return result


def machine(options):
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    about = {"cpu": cpu, "cores": len(os.sched_getaffinity(0)), "threads": options.threads}
    for name in ("torch", "openvino", "onnxruntime")[:1 if options.device == "cuda" else 3]:
        found = subprocess.run([options.python, "-c", f"import {name}; print({name}.__version__)"], capture_output=True,
                               text=True)
        about[name] = found.stdout.strip() if found.returncode == 0 else "not installed"
    if options.device == "cuda":
        ceilings = subprocess.run([options.python, HERE.parent / "cuda" / "ceilings.py", "cuda"], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout
        about.update(json.loads(ceilings))
    return about


def print_table(rows):
    print(f"\n{'row':26} {'ours ms':>9} {'peer ms':>9} {'ratio':>6} {'ours MB':>8} {'peer MB':>8} {'ratio':>6} "
          f"{'difference':>10}  fastest peer")
    number = lambda value: "-" if value is None else f"{value:.2f}"
    for r in rows:
        print(f"{r['name']:26} {r['ours_ms']:9.2f} {r['peer_ms']:9.2f} {number(r['ratio']):>6} "
              f"{r['ours_peak_mb']:8.0f} {r['peer_peak_mb']:8.0f} {number(r['memory_ratio']):>6} "
              f"{r['difference']:10.1e}  {r['peer_setting']}")
        if r["ratio"] is None:
            print(f"  the results of {r['name']} differ: no ratio")
        if r["disturbed"]:
            print(f"  other programs used {r['others_cores']:.2f} cores meanwhile, which slows spinning threads "
                  "most: repeat on an idle machine")


def print_targets(rows):
    rows = [r for r in rows if r["name"] in TARGETS or r["name"] in MEMORY_TARGETS]
    if rows:
        print("\ntargets")
    for r in rows:
        speed, most = TARGETS.get(r["name"]), MEMORY_TARGETS.get(r["name"])
        verdict = "met" if speed is not None and r["ratio"] is not None and r["ratio"] >= speed else "missed"
        if r["disturbed"]:
            verdict = "undecided, the machine was busy"
        if speed is not None:
            print(f"  {r['name']}: {speed} times as fast as the fastest peer: {verdict}")
        if most is not None:
            verdict = "met" if r["memory_ratio"] is not None and r["memory_ratio"] <= most else "missed"
            print(f"  {r['name']}: at most {most} of PyTorch's memory: {verdict}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ours", required=True, help="the program compare_ours")
    parser.add_argument("--python", required=True, help="a python that has PyTorch")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="PyTorch's")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--rows")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--settings")
    parser.add_argument("--kernels", action="store_true", help="lists the longest on a GPU; needs nsys")
    parser.add_argument("--json")
    options = parser.parse_args()
    on_gpu = options.device == "cuda"
    if options.threads is None:
        options.threads = 1 if on_gpu else len(os.sched_getaffinity(0))
    if options.kernels and not shutil.which("nsys"):
        parser.error("--kernels: found no nsys, expected NVIDIA's profiler in the PATH")
    names = options.rows.split(",") if options.rows else CUDA_ROWS if on_gpu else list(TARGETS)
    for name in names:
        if not ROW.fullmatch(name):
            parser.error(f"--rows: found {name}, expected such as {', '.join(CUDA_ROWS if on_gpu else TARGETS)}")
    if options.rounds < 1:
        parser.error(f"--rounds: found {options.rounds}, expected 1 or more")

    about = machine(options)
    print(f"{about['cpu']}, {about['cores']} cores, {about['threads']} threads, "
          + ", ".join(f"{name} {about[name]}" for name in ("torch", "openvino", "onnxruntime") if name in about), flush=True)
    if on_gpu:
        print(f"{about['gpu']}, {about['gigabytes_per_s']:.0f} GB/s copied, products in TFLOP/s: "
              f"{about['bfloat16_tflops']:.0f} in bfloat16, {about['float32_tflops']:.0f} in float32", flush=True)
    rows, failures = [], {}
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(tempfile.gettempdir(), "consistency-compare.log"), "w") as log:
            for name in names:
                try:
                    rows.append(compare(name, options, pathlib.Path(folder), log))
                except RuntimeError as failure:
                    failures[name] = str(failure)
    print_table(rows)
    if not on_gpu:
        print_targets(rows)
    for name, failure in failures.items():
        print(f"{name} failed: {failure}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": about, "rows": rows, "failures": failures}, file, indent=2)
            file.write("\n")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
