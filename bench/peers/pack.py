#===- pack.py - A folder that measures on a machine without LLVM ------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Compiles every layer of some files for one chip and puts bundles, runtime,
scripts and files of layers into a folder, which runs on a machine that has
PyTorch and a GPU and nothing else:

    pack.py SHAPES.json... -o FOLDER --chip=sm_90a --precision=tf32,bf16
        [--layout=...] [--variants=VARIANTS.json] [--filter=REGEX] [--jobs=N]
    FOLDER/run.sh [flags of measure.py]

VARIANTS.json compiles layers in other ways, too, to be timed side by side:

    {"variants": [{"name": "simt", "flags": ["--family=simt"]},
                  {"name": "wide", "layers": "REGEX", "precisions": ["tf32"],
                   "layouts": ["channels_first"],
                   "kernel": "#ctc.kernel<family = ..., ...>"}]}

A layer that does not compile is in the manifest with its message, and a case
that is no layer is passed over; the exit code is then 1. It is 2 for usage,
which a folder of more than --limit MiB is. The folder is made whole or not at
all: what was there before stays where there is no pack.
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import floors
import json_text
import packing
import shapes
from measure import LAYOUTS, Usage, choice, number, read_layers

HERE = pathlib.Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
SCRIPTS = ("clock.py", "contenders.py", "ctc_library.py", "floors.py",
           "json_text.py", "measure.py", "oracle.py", "packing.py", "report.py", "rows.py",
           "shapes.py", "summary.py", "worker.py")
LIBRARY = "libctc_runtime.so"

RUN = """#!/usr/bin/env bash
# Measures what a launch costs and everything in this folder with the machine's
# own python3 and PyTorch, and writes results and report to $OUT, or to results/
# here. Arguments go to measure.py; PYTHON names another python3.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=${OUT:-$PWD/results}
mkdir -p "$out"
python=${PYTHON:-python3}
export PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
case " $* " in
*" --device=cpu "* | *" --device cpu "*) ;; # There is no launch to measure.
*)
  if [ -x launch-overhead ] && ./launch-overhead launch.ctcb > "$out/launch.new"
  then
    mv "$out/launch.new" "$out/launch.json"
  fi
  rm -f "$out/launch.new"
  ;;
esac
rows() { cat "$out/peers.jsonl" 2> /dev/null | wc -l; }
before=$(rows)
"$python" scripts/measure.py shapes/*.json --pack . --results "$out/peers.jsonl" \\
  --precision @PRECISIONS@ --layout @LAYOUTS@ "$@"
status=$?
if [ "$status" -ne 0 ] && [ "$(rows)" -eq "$before" ]; then
  echo "run.sh: nothing was measured" >&2
  exit $status
fi
"$python" scripts/report.py "$out/peers.jsonl" --plot "$out/peers.png" \\
  --markdown "$out/peers.md" || true
exit $status
"""


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("shapes", nargs="+", help="files of layers")
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path,
                        help="the folder; made anew if it is a pack")
    parser.add_argument("--chip", default="sm_90a")
    parser.add_argument("--precision", default=["tf32"],
                        type=choice("precision", tuple(floors.PRECISIONS)))
    parser.add_argument("--layout", default=list(LAYOUTS),
                        type=choice("layout", LAYOUTS))
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--variants", type=pathlib.Path,
                        help="other ways to compile layers")
    parser.add_argument("--no-default", action="store_true",
                        help="only the variants")
    parser.add_argument("--build", type=pathlib.Path, default=PROJECT / "build",
                        help="build tree with bin/ctc and the runtime")
    parser.add_argument("--runtime", type=pathlib.Path,
                        help="a libctc_runtime to take instead of building one "
                             "that suits other machines")
    parser.add_argument("--jobs", type=number(int, least=1),
                        default=os.cpu_count())
    parser.add_argument("--limit", type=number(float, above=0), default=60,
                        metavar="MIB")
    options = parser.parse_args(arguments)
    try:
        options.filter = re.compile(options.filter)
    except re.error as error:
        parser.error(f"not a regular expression: {error}")
    return options


# -- Variants ------------------------------------------------------------------

VARIANT_KEYS = {"name": str, "flags": list, "kernel": str, "layers": str,
                "precisions": list, "layouts": list}


def read_variants(path):
    """The list of a file of variants. Raises Usage."""
    try:
        content = json_text.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Usage(f"{path}: {error}") from error
    variants = content.get("variants") if isinstance(content, dict) else None
    if not isinstance(variants, list):
        raise Usage(f"{path}: must be an object with a list 'variants'")
    names = {packing.DEFAULT}
    for variant in variants:
        for key, value in variant.items():
            if not isinstance(value, VARIANT_KEYS.get(key, ())):
                raise Usage(f"{path}: a variant has '{key}': {value!r}, must "
                            f"have {', '.join(VARIANT_KEYS)}")
        if variant.get("name", packing.DEFAULT) in names:
            raise Usage(f"{path}: every variant needs a name of its own other "
                        f"than '{packing.DEFAULT}'")
        names.add(variant["name"])
    return variants


def applies(variant, layer, precision, layout):
    return bool(re.search(variant.get("layers", ""), layer.name)) and \
        precision in variant.get("precisions", [precision]) and \
        layout in variant.get("layouts", [layout])


# -- Compiling -----------------------------------------------------------------

def layer_flags(layer, precision, layout):
    """What `ctc compile` calls the layer."""
    element, _ = floors.PRECISIONS[precision]
    sizes = [layer.batch, layer.input_channels, *layer.spatial]
    if layout == "channels_last":
        sizes = [layer.batch, *layer.spatial, layer.input_channels]

    def per_dimension(values):
        return ",".join(map(str, values))

    flags = [f"--input={'x'.join(map(str, sizes))}x{element}",
             f"--weight={'x'.join(map(str, layer.weight_shape))}x{element}",
             f"--stride={per_dimension(layer.stride)}",
             "--padding=" + ",".join(f"{low}:{high}"
                                     for low, high in layer.padding),
             f"--output-padding={per_dimension(layer.output_padding)}",
             f"--dilation={per_dimension(layer.dilation)}",
             f"--groups={layer.groups}", f"--layout={layout}"]
    if element == "f32":
        flags.append(f"--precision={precision}")
    return flags + (["--bias"] if layer.bias else [])


class CompileError(Exception):
    """The compiler's own message."""


def run_compiler(command, stdin=None):
    done = subprocess.run(command, input=stdin, capture_output=True,
                          check=False)
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise CompileError(lines[0] if lines else
                           f"exit code {done.returncode}")
    return done.stdout


def with_kernel(mlir, kernel):
    """The module with a kernel on its layer, as the compiler then takes it."""
    operation = re.compile(r"(ctc\.conv_transpose .*?)\{(.*?)\}( ->)")
    text, count = operation.subn(
        lambda found: f"{found[1]}{{{found[2]}, kernel = {kernel}}}{found[3]}",
        mlir.decode(), count=1)
    if count != 1:
        raise CompileError("no layer found to put the kernel on")
    return text.encode()


def compile_bundle(ctc, chip, layer, precision, layout, variant):
    flags = layer_flags(layer, precision, layout)
    if variant.get("kernel"):
        mlir = run_compiler([ctc, "compile", *flags, "--emit=mlir", "-o", "-"])
        flags = ["-"]
        stdin = with_kernel(mlir, variant["kernel"])
    else:
        stdin = None
    return run_compiler([ctc, "compile", *flags, *variant.get("flags", []),
                         f"--chip={chip}", "-o", "-"], stdin)


def compile_all(options, folder, layers, variants):
    """Entries of the manifest, bundles stored as they are made."""
    wanted = [(layer, precision, layout, variant)
              for precision in options.precision for layer in layers.values()
              for layout in options.layout for variant in variants
              if applies(variant, layer, precision, layout)]
    ctc = str(options.build / "bin" / "ctc")

    def one(job):
        layer, precision, layout, variant = job
        entry = {"layer": layer.name, "precision": precision, "layout": layout,
                 "variant": variant["name"]}
        began = time.perf_counter()
        try:
            data = compile_bundle(ctc, options.chip, *job)
        except CompileError as error:
            return {**entry, "error": str(error)}
        entry["compile_seconds"] = round(time.perf_counter() - began, 3)
        return {**entry, "file": packing.store(folder, data)}

    entries = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for entry in pool.map(one, wanted):
            entries.append(entry)
            if "error" in entry:
                print(f"pack: {' '.join(packing.key_of(entry))}: "
                      f"{entry['error']}", file=sys.stderr)
            if sys.stderr.isatty():
                print(f"\r{len(entries)} of {len(wanted)}", end="",
                      file=sys.stderr, flush=True)
    return entries


def check_chip(ctc, chip):
    """The compiler knows which there are, and tests it before all else. Raises
    CompileError."""
    run_compiler([str(ctc), "compile", *LAUNCHED, f"--chip={chip}",
                  "--emit=mlir", "-o", os.devnull])


# -- The folder ----------------------------------------------------------------

def check_is_ours(folder):
    """Only what looks like a pack is replaced."""
    if folder.exists() and any(folder.iterdir()) and \
            not (folder / packing.MANIFEST).exists():
        raise Usage(f"{folder}: is a folder with other things in it; name one "
                    "that is new, empty, or a pack")


def build_programs(options):
    """The runtime, and the program that measures launches, with the C++ library
    linked in, as the other machine may have an older one."""
    targets = ["ctc_runtime_portable", "launch-overhead-portable"]
    done = subprocess.run(["cmake", "--build", str(options.build), "-j",
                           str(options.jobs), "--target", *targets],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Usage(f"{options.build}: {' and '.join(targets)} cannot be "
                    f"built:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return options.build / "lib" / "portable"


# A layer of a few microseconds, for what a launch costs the host.
LAUNCHED = ["--input=1x8x4x4xf32", "--weight=8x8x2x2xf32", "--stride=2",
            "--bias"]


def copy_programs(options, folder):
    if options.runtime:
        shutil.copy(options.runtime, folder / LIBRARY)
        return
    programs = build_programs(options)
    for name in (LIBRARY, "launch-overhead"):
        shutil.copy(programs / name, folder / name)
    run_compiler([str(options.build / "bin" / "ctc"), "compile", *LAUNCHED,
                  f"--chip={options.chip}", "-o",
                  str(folder / "launch.ctcb")])


def copy_parts(options, folder):
    (folder / "scripts").mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(HERE / name, folder / "scripts" / name)
    (folder / "shapes").mkdir()
    for path in options.shapes:
        shutil.copy(path, folder / "shapes" / pathlib.Path(path).name)
    copy_programs(options, folder)
    text = RUN.replace("@PRECISIONS@", ",".join(options.precision))
    run = folder / "run.sh"
    run.write_text(text.replace("@LAYOUTS@", ",".join(options.layout)),
                   encoding="utf-8")
    run.chmod(0o755)


def folder_bytes(folder):
    return sum(path.stat().st_size for path in folder.rglob("*")
               if path.is_file())


@contextlib.contextmanager
def replacing(target):
    """A new folder beside one, which takes its place if all goes well and is
    gone if anything does not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = target.parent / f".{target.name}.{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(folder, options, layers, variants):
    """Makes the pack in a folder; returns the entries of its manifest and its
    size in MiB. Raises Usage when that is over the limit."""
    copy_parts(options, folder)
    entries = compile_all(options, folder, layers, variants)
    version = run_compiler([str(options.build / "bin" / "ctc"),
                            "--version"]).decode().strip()
    manifest = {"chip": options.chip, "producer": version, "bundles": entries}
    (folder / packing.MANIFEST).write_text(
        json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    mib = folder_bytes(folder) / 2 ** 20
    if mib > options.limit:
        raise Usage(f"{options.output} would have {mib:.1f} MiB, must have at "
                    f"most {options.limit:g}; pack fewer layers, precisions or "
                    "layouts, or raise --limit")
    return entries, mib


def make_pack(options):
    layers, problems = read_layers(options.shapes, options.filter)
    for problem in problems:
        print(f"pack: {problem}", file=sys.stderr)
    if not layers:
        raise Usage("no layer to pack")
    variants = [] if options.no_default else [{"name": packing.DEFAULT}]
    if options.variants:
        variants += read_variants(options.variants)
    if not variants:
        raise Usage("--no-default needs --variants")
    ctc = options.build / "bin" / "ctc"
    if not ctc.is_file():
        raise Usage(f"{ctc}: no such program; build it, or name its build tree "
                    "with --build")
    check_is_ours(options.output)
    check_chip(ctc, options.chip)
    began = time.perf_counter()
    with replacing(options.output.resolve()) as folder:
        entries, mib = fill(folder, options, layers, variants)
    failed = sum("error" in entry for entry in entries)
    print(f"{options.output}: {len(entries) - failed} bundles of {len(layers)} "
          f"layers for {options.chip} in {time.perf_counter() - began:.0f} s, "
          f"{failed} not compiled, {mib:.1f} MiB")
    return 1 if failed or problems else 0


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        return make_pack(options)
    except (Usage, shapes.ShapesError, OSError, CompileError) as error:
        print(f"pack: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
