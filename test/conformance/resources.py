#===- resources.py - What ptxas says of the kernels of a file of cases -----===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Compiles the layers of a file of cases and reads the manifests: no kernel may
spill or use a stack, and no tap may be walked for a hole.

    resources.py [--cases FILE] [--every N] [--chips LIST] [--build DIR]

Layers keep their full size, since nothing is run. Prints each kernel that breaks
a rule and a summary; exit code 0 if none does.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent


def commas(values):
    return ",".join(str(value) for value in values)


def padding(case):
    return ",".join(f"{low}:{high}" for low, high in case["padding"])


def flags(case, dtype):
    """The flags of `ctc compile` for a case."""
    shape = [case["N"], case["Cin"], *case["spatial"]]
    weight = [case["Cin"], case["Cout"] // case["groups"], *case["kernel"]]
    by_x = "x".join
    return [f"--input={by_x(map(str, shape))}x{dtype}",
            f"--weight={by_x(map(str, weight))}x{dtype}",
            f"--stride={commas(case['stride'])}", f"--padding={padding(case)}",
            f"--output-padding={commas(case['output_padding'])}",
            f"--dilation={commas(case['dilation'])}",
            f"--groups={case['groups']}", *(["--bias"] if case["bias"] else [])]


def faults_of(image):
    """What breaks a rule in one chip's image, as sentences."""
    for kernel in image["kernels"]:
        for field in ("spill_store_bytes", "spill_load_bytes", "stack_bytes"):
            if kernel[field]:
                yield f"{kernel['kernel']}: {field} is {kernel[field]}, must be 0"
        for warning in kernel["warnings"]:
            yield f"{kernel['kernel']}: {warning}"
    for entry in image["entries"]:
        if entry["holes"] != 1:
            yield f"{entry['name']}: holes is {entry['holes']}, must be exactly 1"


def inspect(ctc, case, dtype, chips):
    """The images of a compiled case."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = f"{folder}/layer.ctcb"
        command = [str(ctc), "compile", *flags(case, dtype), f"--chip={chips}",
                   "-o", bundle]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
        shown = subprocess.run([str(ctc), "inspect", "--json", bundle],
                               capture_output=True, text=True, check=True)
    return json.loads(shown.stdout)["images"]


def load(path, every):
    with open(path, encoding="utf-8") as file:
        return json.load(file)["cases"][::every]


def check(ctc, cases, dtype, chips):
    """Sentences for all faults, and the most registers a kernel takes."""
    faults, registers = [], 0
    with ThreadPoolExecutor(2) as pool:
        for case, images in zip(cases, pool.map(
                lambda case: inspect(ctc, case, dtype, chips), cases)):
            for image in images:
                faults += [f"{case['name']} {dtype} {image['chip']}: {fault}"
                           for fault in faults_of(image)]
                registers = max(registers, *(kernel["registers"]
                                             for kernel in image["kernels"]), 0)
    return faults, registers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", default=FOLDER / "onednn.json")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--chips",
                        default="sm_80,sm_86,sm_89,sm_90a,sm_100a,sm_120a")
    parser.add_argument("--build", default=ROOT / "build", type=pathlib.Path)
    options = parser.parse_args()
    cases = load(options.cases, options.every)
    faults, registers = check(options.build / "bin/ctc", cases, options.dtype,
                              options.chips)
    print("\n".join(faults))
    print(f"{len(cases)} layers for {options.chips}: {len(faults)} faults, "
          f"at most {registers} registers")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
