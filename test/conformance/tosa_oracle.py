#===- tosa_oracle.py - Upstream's TOSA lowering as a second oracle ---------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Compares ctc with a lowering of transposed convolution that nobody here
wrote: tosa.transpose_conv2d, decomposed by upstream's passes into a plain
convolution and run on the CPU by mlir-runner.

    tosa_oracle.py [--full] [--filter REGEX] [--device cpu] [--build build]

Each case of onednn.json that TOSA can express (2-D, no dilation, no groups,
padding below the kernel) keeps its kernel, stride and padding; batch, channels
and space shrink to a few elements, keeping their parity. Both sides read the
same TOSA function and the same small integers, so that results must be equal
bit for bit. Every other case has an elementwise tail, which ctc fuses. Prints how many cases agree; exit code 0 if all do, 1 if one
differs or fails, 2 if a tool is missing. Without --full every eighth case runs.
"""

import argparse
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent.parent
GROUP = 16  # Cases per module: few processes, and an error names few cases.

# Upstream's way from TOSA to LLVM, and nothing of ctc.
UPSTREAM = ("builtin.module(func.func(tosa-optional-decompositions,canonicalize,"
            "tosa-infer-shapes,tosa-make-broadcastable,tosa-to-linalg-named,"
            "canonicalize,tosa-to-linalg,tosa-to-tensor,tosa-to-arith),"
            "one-shot-bufferize{bufferize-function-boundaries=1},"
            "buffer-deallocation-pipeline,func.func(convert-linalg-to-loops,"
            "expand-strided-metadata),lower-affine,convert-scf-to-cf,"
            "expand-strided-metadata,finalize-memref-to-llvm,"
            "convert-math-to-llvm,convert-arith-to-llvm,convert-index-to-llvm,"
            "convert-cf-to-llvm,convert-func-to-llvm,"
            "reconcile-unrealized-casts)")


class Missing(Exception):
    """A tool that is not there."""


class Failed(Exception):
    """A tool that failed: the command that repeats it, and what it said."""


def run(command, stdin=None):
    done = subprocess.run([str(word) for word in command], input=stdin,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\n"
                     f"exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


@dataclass(frozen=True)
class Layer:
    """A 2-D layer in TOSA's terms: NHWC input, OHWI weight."""
    name: str
    symbol: str
    batch: int
    inputs: int
    outputs: int
    space: tuple
    kernel: tuple
    stride: tuple
    out_pad: tuple  # top, bottom, left, right
    tail: bool      # minus z per channel, then at least -20

    def output_space(self):
        return tuple((i - 1) * s + self.out_pad[2 * d] +
                     self.out_pad[2 * d + 1] + k
                     for d, (i, s, k) in enumerate(
                         zip(self.space, self.stride, self.kernel)))

    def operands(self):
        return "xwbz" if self.tail else "xwb"

    def shapes(self):
        return {"x": (self.batch, *self.space, self.inputs),
                "w": (self.outputs, *self.kernel, self.inputs),
                "b": (self.outputs,),
                "z": (1, 1, 1, self.outputs),
                "y": (self.batch, *self.output_space(), self.outputs)}


# ---------------------------------------------------------------------------
# Cases
# ---------------------------------------------------------------------------

def shrink(size, most):
    """At most `most`, of the same parity."""
    return size if size <= most else most - (size - most) % 2


def expressible(case):
    """Whether TOSA has the layer."""
    return (case["rank"] == 2 and case["groups"] == 1 and
            all(d == 1 for d in case["dilation"]) and
            all(side < k for pad, k in zip(case["padding"], case["kernel"])
                for side in (pad if isinstance(pad, list) else [pad])))


def to_layer(case, number):
    pads = [pad if isinstance(pad, list) else [pad, pad]
            for pad in case["padding"]]
    out_pad = []
    for (low, high), extra in zip(pads, case["output_padding"]):
        out_pad += [-low, extra - high]
    space = []
    for d, size in enumerate(case["spatial"]):
        least = shrink(size, 6)
        while ((least - 1) * case["stride"][d] + case["kernel"][d] +
               out_pad[2 * d] + out_pad[2 * d + 1] < 1):
            least += 2
        space.append(least)
    return Layer(case["name"], f"case{number}", shrink(case["N"], 2),
                 shrink(case["Cin"], 5), shrink(case["Cout"], 6), tuple(space),
                 tuple(case["kernel"]), tuple(case["stride"]), tuple(out_pad),
                 number % 2 == 1)


def load_layers(path, pattern):
    cases = json.loads(path.read_text())["cases"]
    chosen = [case for case in cases
              if expressible(case) and re.search(pattern, case["name"])]
    return [to_layer(case, i) for i, case in enumerate(chosen)], len(cases)


# ---------------------------------------------------------------------------
# Modules
# ---------------------------------------------------------------------------

def tensor(shape):
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def function(layer):
    """The layer as a function of TOSA: what both sides read."""
    x, w, b, z, y = (tensor(shape) for shape in layer.shapes().values())
    pads = ", ".join(map(str, layer.out_pad))
    strides = ", ".join(map(str, layer.stride))
    zero = "tensor<1xf32>"
    arguments = ", ".join(f"%{which}: {tensor(layer.shapes()[which])}"
                          for which in layer.operands())
    result, tail = "%y", ""
    if layer.tail:
        result, tail = "%t", f"""\
  %d = tosa.sub %y, %z : ({y}, {z}) -> {y}
  %t = tosa.clamp %d {{min_val = -20.0 : f32, max_val = 1.0e6 : f32}} : ({y}) -> {y}
"""
    return f"""\
func.func @{layer.symbol}({arguments}) -> {y} {{
  %zero = "tosa.const"() <{{values = dense<0.0> : {zero}}}> : () -> {zero}
  %y = tosa.transpose_conv2d %x, %w, %b, %zero, %zero
    {{acc_type = f32, out_pad = array<i64: {pads}>, stride = array<i64: {strides}>}}
    : ({x}, {w}, {b}, {zero}, {zero}) -> {y}
{tail}  return {result} : {y}
}}
"""


def count(shape):
    product = 1
    for size in shape:
        product *= size
    return product


def fill(layer, which):
    """Small integers from a multiplicative hash of the position: every sum of
    products stays below 10^6, which both f32 and the printed text hold."""
    seed, span = {"x": (1, 4), "w": (2, 4), "b": (3, 9), "z": (4, 9)}[which]
    values = []
    for i in range(count(layer.shapes()[which])):
        mixed = ((i + 1) * 2654435761 + seed * 40503 + len(layer.name)) % 2**32
        values.append((mixed >> 16) % (2 * span + 1) - span)
    return values


def packed(values):
    return struct.pack(f"<{len(values)}f", *values)


def main_function(layers):
    """Calls every layer on its inputs and prints the results in order."""
    lines = ["func.func private @printMemrefF32(memref<*xf32>) "
             "attributes {llvm.emit_c_interface}", "func.func @main() {"]
    for layer in layers:
        shapes, s = layer.shapes(), layer.symbol
        for which in layer.operands():
            lines.append(f"  %{s}{which} = arith.constant "
                         f"dense<\"0x{packed(fill(layer, which)).hex()}\"> : "
                         f"{tensor(shapes[which])}")
        types = ", ".join(tensor(shapes[which]) for which in layer.operands())
        values = ", ".join(f"%{s}{which}" for which in layer.operands())
        y = tensor(shapes["y"])
        memref = y.replace("tensor", "memref")
        lines += [
            f"  %{s}y = call @{s}({values}) : ({types}) -> {y}",
            f"  %{s}m = bufferization.to_buffer %{s}y : {y} to {memref}",
            f"  %{s}u = memref.cast %{s}m : {memref} to memref<*xf32>",
            f"  call @printMemrefF32(%{s}u) : (memref<*xf32>) -> ()"]
    return "\n".join(lines + ["  return", "}", ""])


# ---------------------------------------------------------------------------
# Both sides
# ---------------------------------------------------------------------------

@dataclass(frozen=True)
class Tools:
    ctc: pathlib.Path
    mlir_opt: pathlib.Path
    mlir_runner: pathlib.Path
    runner_libraries: tuple
    device: str

    @staticmethod
    def find(build, llvm, device):
        lib = llvm / "lib"
        tools = Tools(build / "bin" / "ctc", llvm / "bin" / "mlir-opt",
                      llvm / "bin" / "mlir-runner",
                      (lib / "libmlir_runner_utils.so",
                       lib / "libmlir_c_runner_utils.so"), device)
        for path in (tools.ctc, tools.mlir_opt, tools.mlir_runner,
                     *tools.runner_libraries):
            if not path.exists():
                raise Missing(f"{path} is not there")
        return tools


def run_upstream(tools, layers):
    module = "".join(map(function, layers)) + main_function(layers)
    lowered = run([tools.mlir_opt, "-", f"--pass-pipeline={UPSTREAM}"], module)
    printed = run([tools.mlir_runner, "-e", "main",
                   "-entry-point-result=void", "-shared-libs=" +
                   ",".join(map(str, tools.runner_libraries))], lowered)
    blocks = printed.split("Unranked Memref")[1:]
    return [[float(number) for number in
             re.findall(r"-?\d[\d.]*(?:e[+-]?\d+)?|-?nan|-?inf",
                        block.split("data =", 1)[1])] for block in blocks]


def write_npy(path, shape, values):
    header = (f"{{'descr': '<f4', 'fortran_order': False, "
              f"'shape': ({', '.join(map(str, shape))},), }}")
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                     header.encode() + packed(values))


def read_npy(path):
    data = path.read_bytes()
    begin = 10 + struct.unpack("<H", data[8:10])[0]
    return list(struct.unpack(f"<{(len(data) - begin) // 4}f", data[begin:]))


def run_ctc(tools, folder, layers):
    source, bundle = folder / "layers.mlir", folder / "layers.ctcb"
    source.write_text("".join(map(function, layers)))
    run([tools.ctc, "compile", source, "-o", bundle, "--chip=sm_80"])
    results = []
    for layer in layers:
        for which in layer.operands():
            write_npy(folder / f"{which}.npy", layer.shapes()[which],
                      fill(layer, which))
        output = folder / f"{layer.symbol}.npy"
        run([tools.ctc, "run", bundle, f"--entry={layer.symbol}",
             f"--input=@{folder / 'x.npy'}", f"--weight=@{folder / 'w.npy'}",
             f"--bias=@{folder / 'b.npy'}", f"--output=@{output}",
             f"--device={tools.device}"] +
            ([f"--operand=operand0=@{folder / 'z.npy'}"] if layer.tail else []))
        results.append(read_npy(output))
    return results


def compare(tools, layers):
    """What differs, a line for each case."""
    with tempfile.TemporaryDirectory() as name:
        ours = run_ctc(tools, pathlib.Path(name), layers)
    theirs = run_upstream(tools, layers)
    differences = []
    for layer, a, b in zip(layers, ours, theirs, strict=True):
        expected = count(layer.shapes()["y"])
        if len(a) != expected or len(b) != expected:
            differences.append(f"{layer.name}: {len(a)} and {len(b)} outputs, "
                               f"must be {expected}")
        elif a != b:
            at = next(i for i in range(expected) if a[i] != b[i])
            differences.append(f"{layer.name}: output {at} is {a[at]:g}, "
                               f"upstream has {b[at]:g}")
        elif expected and not any(a):
            differences.append(f"{layer.name}: all outputs are zero")
    return differences


def compare_all(tools, layers, jobs):
    """Groups that fail as a whole are tried again one by one, to name cases."""
    def attempt(group):
        try:
            return compare(tools, group)
        except Failed as error:
            if len(group) == 1:
                return [f"{group[0].name}: {error}"]
            return [line for layer in group for line in attempt([layer])]

    groups = [layers[i:i + GROUP] for i in range(0, len(layers), GROUP)]
    with ThreadPoolExecutor(jobs) as pool:
        return [line for lines in pool.map(attempt, groups) for line in lines]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--cases", type=pathlib.Path,
                        default=FOLDER / "onednn.json")
    parser.add_argument("--filter", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--llvm", type=pathlib.Path,
                        default=pathlib.Path("/usr/lib/llvm-22"))
    options = parser.parse_args(arguments)
    layers, total = load_layers(options.cases, options.filter)
    ran = layers if options.full else layers[::8]
    try:
        tools = Tools.find(options.build, options.llvm, options.device)
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    differences = compare_all(tools, ran, options.jobs)
    for line in differences:
        print(line, file=sys.stderr)
    print(f"{len(ran) - len(differences)} of {len(ran)} cases agree with "
          f"upstream's TOSA lowering on {options.device} ({len(layers)} of "
          f"{total} cases can be expressed)")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
