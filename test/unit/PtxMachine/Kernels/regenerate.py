#!/usr/bin/env python3
#===- regenerate.py - The PTX of the kernels, made anew --------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""regenerate.py [--check] [KERNEL...]

Makes KERNEL.ptx of KERNEL.cu beside this script, for every kernel or those
named, by nvcc on the PATH. With --check nothing is written; the exit code is 1
when a committed text differs from what nvcc makes. Another release of nvcc than
the one below makes other texts, so it is refused.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RELEASE = "V13.0.88"
# Others are made for sm_90a.
ARCHITECTURES = {"compact": "sm_80", "gemm": "sm_80", "reduce": "sm_80"}
FLAGS = ["-ptx", "-std=c++17"]


def command(kernel, output):
    architecture = ARCHITECTURES.get(kernel, "sm_90a")
    return ["nvcc", *FLAGS, f"-arch={architecture}", f"{kernel}.cu",
            "-o", str(output)]


def main(arguments):
    version = subprocess.run(["nvcc", "--version"], capture_output=True,
                             text=True, check=True).stdout
    if RELEASE not in version:
        found = re.search(r"V\d+\.\d+\.\d+", version)
        sys.exit(f"regenerate.py: nvcc is {found[0] if found else 'unknown'}, "
                 f"the texts are made by {RELEASE}")
    check = "--check" in arguments
    named = [word for word in arguments if not word.startswith("--")]
    kernels = named or sorted(path.stem for path in HERE.glob("*.cu"))
    differing = []
    for kernel in kernels:
        committed = HERE / f"{kernel}.ptx"
        if not check:
            subprocess.run(command(kernel, committed), cwd=HERE, check=True)
            continue
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder) / committed.name
            subprocess.run(command(kernel, made), cwd=HERE, check=True)
            if made.read_bytes() != committed.read_bytes():
                differing.append(committed.name)
    if differing:
        sys.exit("regenerate.py: not what nvcc makes: " + ", ".join(differing))


if __name__ == "__main__":
    main(sys.argv[1:])
