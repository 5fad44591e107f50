#===- compile_time.py - Time and memory that compiling a layer takes -------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs `ctc compile` as a whole process, per layer and chip: start of the
process, the ladder, code generation and ptxas.

    compile_time.py [SHAPES.json...] [--runs N] [--chips LIST] [--slowest N]
        [--precision LIST] [--layout LIST] [--json FILE] [--build DIR]

Prints the median and maximum wall time, the median processor time, and the peak
memory of the largest process (ctc or ptxas), of the layers below or of all in
the files (bench/peers/shapes.py), in every precision and layout. --slowest
prints that many rows, the slowest first, and how long all took. Not a test:
nothing is asserted.
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench" / "peers"))

import pack  # noqa: E402
import shapes  # noqa: E402

LAYERS = {
    "SAM up-scaling, 256 to 64, kernel 2 stride 2, GELU": [
        "--input=1x256x64x64xf32", "--weight=256x64x2x2xf32", "--stride=2",
        "--bias", "--epilogue=gelu"],
    "DCGAN, 512 to 256, kernel 4 stride 2": [
        "--input=64x512x8x8xf32", "--weight=512x256x4x4xf32", "--stride=2",
        "--padding=1"],
    "3-D U-Net, 64 to 32, kernel 3 stride 2": [
        "--input=1x64x16x32x32xf32", "--weight=64x32x3x3x3xf32", "--stride=2",
        "--padding=1", "--output-padding=1"],
    "HiFi-GAN, 512 to 256, kernel 16 stride 8": [
        "--input=1x512x80xf32", "--weight=512x256x16xf32", "--stride=8",
        "--padding=4"],
    "FCN-32s, 21 channels, kernel 64 stride 32": [
        "--input=1x21x16x16xf32", "--weight=21x21x64x64xf32", "--stride=32"],
    "1-D, kernel 4096 stride 1024": [
        "--input=1x8x100xf32", "--weight=8x2x4096xf32", "--stride=1024"],
    "3-D, 4 groups of 8 to 8, kernel 3x5x7 stride 2": [
        "--input=8x32x12x24x48xf32", "--weight=32x8x3x5x7xf32", "--stride=2",
        "--padding=1,2,3", "--output-padding=1", "--groups=4"],
    "3-D, 32 to 64, kernel 5 stride 2, bf16": [
        "--input=16x32x32x32x32xbf16", "--weight=32x64x5x5x5xbf16",
        "--stride=2", "--padding=2", "--bias"],
}


def run(command):
    """Wall seconds, processor seconds and peak KiB of a process and its
    children."""
    start = time.perf_counter()
    child = os.spawnv(os.P_NOWAIT, command[0], command)
    _, status, usage = os.wait4(child, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def measure(ctc, layer, chip, runs):
    with tempfile.TemporaryDirectory() as folder:
        command = [ctc, "compile", *layer, f"--chip={chip}", "-o",
                   f"{folder}/layer.ctcb"]
        samples = [run(command) for _ in range(runs)]
    walls, cpus, peaks = zip(*samples)
    return {"wall_median_s": statistics.median(walls), "wall_max_s": max(walls),
            "cpu_median_s": statistics.median(cpus),
            "peak_mib": max(peaks) / 1024}


def layers_of(options):
    """(name, flags of `ctc compile`) of the files' layers, or of those above."""
    if not options.shapes:
        return list(LAYERS.items())
    layers = [layer for path in options.shapes
              for layer in shapes.read_shapes(path)[0]]
    return [(f"{layer.name[:29]:29} {precision:6} {layout}",
             pack.layer_flags(layer, precision, layout))
            for layer in layers for precision in options.precision.split(",")
            for layout in options.layout.split(",")]


def show(row):
    print(f"{row['layer'][:52]:52} {row['chip']:8} "
          f"{row['wall_median_s']:8.2f} {row['wall_max_s']:6.2f} "
          f"{row['cpu_median_s']:6.2f} {row['peak_mib']:8.0f}", flush=True)


def show_slowest(rows, count):
    rows = sorted(rows, key=lambda row: -row["wall_median_s"])
    for row in rows[:count]:
        show(row)
    walls = [row["wall_median_s"] for row in rows]
    print(f"{len(rows)} rows: mean {statistics.mean(walls):.2f} s, median "
          f"{statistics.median(walls):.2f} s, {sum(w > 1 for w in walls)} "
          "above 1 s")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shapes", nargs="*", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precision", default="tf32,bf16",
                        help="of the files' layers")
    parser.add_argument("--layout", default="channels_first,channels_last",
                        help="of the files' layers")
    parser.add_argument("--slowest", type=int, metavar="N",
                        help="print so many rows, the slowest")
    parser.add_argument("--chips", default="sm_80,sm_90a,sm_120a")
    parser.add_argument("--json", help="write the rows to this file, too")
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    options = parser.parse_args()
    rows, layers = [], layers_of(options)
    if not layers:
        raise SystemExit("no layers in " + ", ".join(map(str, options.shapes)))
    # Files come from the page cache from here on.
    measure(str(options.build / "bin/ctc"), layers[0][1], "sm_80", 1)
    print(f"{'layer':52} {'chip':8} {'median s':>8} {'max s':>6} {'cpu s':>6} "
          f"{'peak MiB':>8}")
    for name, layer in layers:
        for chip in options.chips.split(","):
            row = measure(str(options.build / "bin/ctc"), layer, chip,
                          options.runs)
            rows.append({"layer": name, "chip": chip, **row})
            if options.slowest is None:
                show(rows[-1])
    if options.slowest is not None:
        show_slowest(rows, options.slowest)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(rows, indent=1) + "\n",
                                              encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
