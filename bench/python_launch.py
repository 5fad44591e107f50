#===- python_launch.py - What a launch from Python costs the host ----------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Microseconds of host time per call of a prepared layer with torch tensors.

    .cache/python/bin/python bench/python_launch.py [--check]

On a GPU the calls launch a small kernel and nothing waits between them. Without
one, the calls have a batch of 0: they go all the way to the launch on the cpu
device, which has nothing to launch. --check exits with 1 where a call of a
layer takes more than 5 microseconds. Each figure is the best of several rounds;
PyTorch's own calls stand beside them. Modules are called without gradients.
"""

import copy
import subprocess
import sys
import timeit

import ctc
import ctc.torch
import torch

LIMIT = 5.0  # Microseconds.
CALLS, ROUNDS = 500, 40  # Fewer calls a round than a stream queues.


def microseconds(call, names):
    """Of the call as a program writes it, in a loop and nothing around it."""
    timer = timeit.Timer(call, globals=names)
    best = float("inf")
    for _ in range(ROUNDS):
        best = min(best, timer.timeit(CALLS))
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    return best / CALLS * 1e6


def import_milliseconds():
    script = ("import time; t = time.perf_counter(); import ctc; "
              "print(time.perf_counter() - t)")
    return 1e3 * min(float(subprocess.run(
        [sys.executable, "-c", script], text=True, check=True,
        capture_output=True).stdout) for _ in range(5))


def main():
    device = "cuda" if torch.cuda.is_available() else "cpu"
    batch = 1 if device == "cuda" else 0
    bundle = ctc.compile(input=(None, 8, 4, 4), weight=(8, 8, 2, 2), stride=2,
                         bias=True, chips=ctc.chip_of(device))
    x = torch.zeros(batch, 8, 4, 4, device=device)
    weight = torch.zeros(8, 8, 2, 2, device=device)
    bias = torch.zeros(8, device=device)
    layer = bundle.prepare(weight, bias)
    out = layer(x)
    found = ctc.device(device)
    print(f"{found.name}, batch {batch}, torch {torch.__version__}, Python "
          f"{sys.version.split()[0]}")
    own = {"layer(x, out=y)": "layer(x, out=y)", "layer(x)": "layer(x)"}
    module = torch.nn.ConvTranspose2d(8, 8, 2, 2, device=device)
    converted = ctc.torch.convert(copy.deepcopy(module))
    frozen = ctc.torch.convert(copy.deepcopy(module), frozen=True)
    converted(torch.zeros(1, 8, 4, 4, device=device))  # In the cache for a GPU.
    others = {"torch: x.relu()": "x.relu()",
              "torch: conv_transpose2d": "conv_transpose2d(x, weight, bias, 2)",
              "torch.nn: module(x)": "module(x)",
              "ctc.torch: module(x)": "converted(x)",
              "ctc.torch: frozen(x)": "frozen(x)"}
    names = {"x": x, "y": out, "weight": weight, "bias": bias, "layer": layer,
             "conv_transpose2d": torch.conv_transpose2d, "module": module,
             "converted": converted, "frozen": frozen}
    worst = 0.0
    with torch.no_grad():
        for name, call in {**own, **others}.items():
            figure = microseconds(call, names)
            print(f"{name:26} {figure:6.2f} us")
            if name in own:
                worst = max(worst, figure)
    print(f"{'import ctc':26} {import_milliseconds():6.0f} ms")
    return 1 if "--check" in sys.argv and worst > LIMIT else 0


if __name__ == "__main__":
    sys.exit(main())
