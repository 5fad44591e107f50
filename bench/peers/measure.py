#===- measure.py - ctc beside its peers, in one run -------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Times ctc, PyTorch and other kernels on the same layers with the same code.

    measure.py SHAPES.json... --results FILE.jsonl --pack FOLDER
        [--peers ctc,eager,reference,compile] [--reference PATHS]
        [--precision tf32,ieee,bf16] [--layout channels_first,channels_last]
        [--filter REGEX] [--resume] [--budget SECONDS] [--per-cell MS]

Every result is appended to FILE.jsonl as it comes. A contender that is missing,
crashes, hangs or runs out of memory gets a row that says so, and the rest goes
on. Exit codes: 0 when everything asked for has a row, 2 usage, 3 when a result
of ctc is wrong, 4 without a GPU, 5 when the time budget ended it.
"""

import argparse
import collections
import importlib.util
import json
import math
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time

import floors
import packing
import rows
import shapes

HERE = pathlib.Path(__file__).resolve().parent
PEERS = ("ctc", "eager", "reference", "compile")
LAYOUTS = ("channels_first", "channels_last")
STARTUP = 120.0  # Seconds a worker may take to say its first word.
MOST_RESTARTS = 60


class Usage(Exception):
    """Something on the command line is not legal."""


def choice(name, legal):
    """A parser of values separated by commas. `fake:...` is for tests."""
    def parse(text):
        values = text.split(",")
        for value in values:
            if value not in legal and not value.startswith("fake:"):
                raise argparse.ArgumentTypeError(
                    f"'{value}' is no {name}, must be of {', '.join(legal)}")
        return values
    return parse


def number(kind, *, least=None, above=None):
    """A parser of finite numbers that are at least, or above, a bound."""
    legal = f"at least {least}" if above is None else f"above {above}"

    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or (value < least if above is None else
                                        value <= above):
            what = "an integer" if kind is int else "a number"
            raise argparse.ArgumentTypeError(
                f"'{text}' must be {what} {'of ' * (above is None)}{legal}")
        return value
    return parse


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("shapes", nargs="+", help="files of layers")
    parser.add_argument("--results", required=True,
                        help="JSON lines, appended to")
    parser.add_argument("--pack", default=str(HERE.parent),
                        help="folder made by pack.py")
    parser.add_argument("--library", help="libctc_runtime (default: the pack's)")
    parser.add_argument("--peers", type=choice("contender", PEERS),
                        default=["ctc", "eager"])
    parser.add_argument("--reference", metavar="PATHS",
                        help="Python files with a class ModelNew, or folders of "
                             "them, separated by commas")
    parser.add_argument("--precision", default=["tf32"],
                        type=choice("precision", tuple(floors.PRECISIONS)))
    parser.add_argument("--layout", default=list(LAYOUTS),
                        type=choice("layout", LAYOUTS))
    parser.add_argument("--filter", default="", metavar="REGEX",
                        help="only layers whose name matches")
    parser.add_argument("--variants", metavar="REGEX", default="",
                        help="only variants of ctc whose name matches")
    parser.add_argument("--resume", action="store_true",
                        help="pass over cells that the results have")
    parser.add_argument("--budget", default=0, type=number(float, least=0),
                        metavar="SECONDS",
                        help="start no cell after that; 0: no limit")
    parser.add_argument("--per-cell", default=40, type=number(float, above=0),
                        metavar="MS",
                        help="time of the timed calls of a cell")
    parser.add_argument("--limit", default=60, type=number(float, above=0),
                        metavar="SECONDS",
                        help="a cell that takes longer is ended")
    parser.add_argument("--slow-limit", default=60,
                        type=number(float, above=0), metavar="SECONDS",
                        help="the same for references and torch.compile")
    parser.add_argument("--compile-mode", help="of torch.compile")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda",
                        help="cpu: a dry run whose times mean nothing")
    parser.add_argument("--fakes", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        options.filter = re.compile(options.filter)
        options.variants = re.compile(options.variants)
    except re.error as error:
        parser.error(f"not a regular expression: {error}")
    return options


# -- What is measured ----------------------------------------------------------

def read_layers(paths, pattern):
    """Layers by name; what is none is said, and the rest goes on."""
    layers, problems = {}, []
    for path in paths:
        try:
            found, wrong = shapes.read_shapes(path)
        except shapes.ShapesError as error:
            problems.append(str(error))
            continue
        problems += wrong
        for layer in found:
            if layer.name in layers:
                problems.append(f"{path}: '{layer.name}' is in another file, "
                                "too")
            elif pattern.search(layer.name):
                layers[layer.name] = layer
    return layers, problems


def reference_files(paths):
    """What --reference names, folders opened. A file that is not there gets
    rows that say so."""
    if not paths:
        raise Usage("--peers=reference needs --reference=PATHS")
    files = []
    for path in map(pathlib.Path, paths.split(",")):
        inside = sorted(path.glob("*.py")) if path.is_dir() else [path]
        if not inside:
            raise Usage(f"--reference is '{path}', a folder without Python "
                        "files")
        files += inside
    return files


def contenders_of(options, pack):
    """(name, variants) of everything that is compared."""
    found = []
    for peer in options.peers:
        if peer == "ctc":
            found.append(("ctc", [name for name in pack.variants
                                  if options.variants.search(name)]))
        elif peer == "reference":
            found += [(f"reference:{path}", [""])
                      for path in reference_files(options.reference)]
        else:
            found.append((peer, [""]))
    return found


def plan_cells(layers, options, pack):
    """Precision by precision, so that the first asked for is complete first.
    Of ctc what is in the pack, of references what they may serve."""
    cells = []
    for precision in options.precision:
        for layer in layers.values():
            for peer, variants in contenders_of(options, pack):
                if peer.startswith("reference") and precision != "tf32":
                    continue
                if precision == "tf32x3" and peer in ("eager", "compile"):
                    continue
                for layout in options.layout:
                    if peer.startswith("reference") and \
                            layout != "channels_first":
                        continue
                    cells += [{"layer": layer.name, "precision": precision,
                               "layout": layout, "peer": peer,
                               "variant": variant}
                              for variant in variants
                              if peer != "ctc" or variant == packing.DEFAULT
                              or pack.has(layer.name, precision, layout,
                                          variant)]
    return cells


def as_case(layer):
    """A layer as shapes.read_case reads it."""
    return {"name": layer.name, "N": layer.batch, "Cin": layer.input_channels,
            "Cout": layer.output_channels, "groups": layer.groups,
            "spatial": list(layer.spatial), "kernel": list(layer.kernel),
            "stride": list(layer.stride),
            "padding": [list(pair) for pair in layer.padding],
            "output_padding": list(layer.output_padding),
            "dilation": list(layer.dilation), "bias": layer.bias,
            "file": layer.source}


def public_name(cell):
    """Cells name a reference by its path, rows by its file."""
    if not cell["peer"].startswith("reference:"):
        return cell
    stem = pathlib.Path(cell["peer"].split(":", 1)[1]).stem
    return {**cell, "peer": f"reference:{stem}"}


# -- Running it ----------------------------------------------------------------

class WorkerFailure(Exception):
    """The worker cannot start at all."""


class Supervisor:
    """Runs workers until every cell has a row."""

    def __init__(self, cells, layers, options, results, say=print):
        self.left = collections.deque(cells)
        self.layers, self.options, self.results = layers, options, results
        self.say = say
        self.total, self.done = len(cells), 0
        self.counts = collections.Counter()
        self.wrong = []
        self.current, self.current_limit = None, 0.0
        self.stopped = ""
        self.said_environment = False
        self.deadline = time.time() + options.budget if options.budget else \
            float("inf")

    def plan(self):
        options = self.options
        library = options.library or \
            pathlib.Path(options.pack) / "libctc_runtime.so"
        return {"cells": list(self.left),
                "layers": {name: as_case(layer)
                           for name, layer in self.layers.items()},
                "device": options.device, "pack": options.pack,
                "library": str(library), "budget": options.per_cell * 1e-3,
                "deadline": min(self.deadline, 1e18),
                "limits": {"default": options.limit,
                           "reference": options.slow_limit,
                           "compile": options.slow_limit},
                "compile_mode": options.compile_mode, "fakes": options.fakes,
                "wants_ceilings": not self.said_environment}

    def run(self):
        for _ in range(MOST_RESTARTS):
            if not self.left or self.stopped:
                return
            self._run_worker()
        self.stopped = f"the worker was restarted {MOST_RESTARTS} times"

    def _run_worker(self):
        worker = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        lines = queue.Queue()
        threading.Thread(target=_pump, args=(worker.stdout, lines),
                         daemon=True).start()
        try:
            worker.stdin.write(json.dumps(self.plan()))
            worker.stdin.close()
        except BrokenPipeError:
            pass  # It has ended; why shows below.
        self.current = None
        try:
            self._listen(lines)
        finally:
            worker.kill()
            worker.wait()

    def _listen(self, lines):
        """Until the worker ends, says that it stops, or is too slow."""
        began = False
        while True:
            patience = self.current_limit if self.current else STARTUP
            try:
                line = lines.get(timeout=patience)
            except queue.Empty:
                if not began:
                    raise WorkerFailure(f"the worker said nothing in {STARTUP} "
                                        "s") from None
                return self._lost("time limit", f"took more than {patience:g} "
                                                "s and was ended")
            if line is None:
                if not began:
                    raise WorkerFailure("the worker ended before it began; its "
                                        "last lines are above")
                return self._lost("crashed", "the process ended")
            began = True
            if self._hear(json.loads(line)):
                return None

    def _hear(self, message):
        """Whether the worker has said its last word."""
        if "fail" in message:
            raise WorkerFailure(message["fail"])
        if "environment" in message:
            self._note_environment(message["environment"])
        elif "start" in message:
            self.current = message["start"]
            self.current_limit = message["limit"]
        elif "row" in message:
            self._record(message["row"])
        elif "stop" in message:
            self.stopped = message["stop"]
            return True
        return False

    def _note_environment(self, found):
        if self.said_environment:
            return
        self.said_environment = True
        rates = floors.rates_of(found["capability"], found["gpu"]) \
            if "gpu" in found else floors.MEASURED_H200
        self.results.append({"run": {
            **found, "date": time.strftime("%Y-%m-%d %H:%M:%S"),
            "dry_run": self.options.device != "cuda",
            "rates": vars(rates) if rates else None,
            "per_cell_ms": self.options.per_cell}})

    def _lost(self, status, message):
        """The worker is gone; so is the cell it was at."""
        if self.current is not None:
            self._record({**self.current, "status": status,
                          "message": message})
            self.current = None

    def _record(self, row):
        cell = self.left.popleft()
        assert rows.cell_key(cell) == rows.cell_key(row), (cell, row)
        row = public_name(row)
        self.results.append(row)
        self.current = None
        self.done += 1
        self.counts[row["status"]] += 1
        if row["status"] == "wrong" and row["peer"] == "ctc":
            self.wrong.append(row)
        self.say(f"[{self.done}/{self.total}] {line_of(row)}")


def _pump(stream, lines):
    for line in stream:
        lines.put(line)
    lines.put(None)


def line_of(row):
    """A row as one line for people."""
    name = f"{row['layer'][:34]:34} {row['precision']:5} " \
           f"{row['layout'][9:]:5} {row['peer'][:28]:12}"
    if row["variant"] not in ("", packing.DEFAULT):
        name += f" {row['variant']}"
    if row["status"] not in rows.MEASURED:
        return f"{name} {row['status']}: {row.get('message', '')}"
    seconds = row.get("graph_median_s") or row["median_s"]
    text = f"{name} {seconds * 1e6:10.1f} us"
    if row.get("floor_s"):
        text += f"  {row['floor_s'] / seconds:6.1%} of the floor"
    return text + ("" if row["status"] == "ok" else
                   f"  {row['status']}: {row['wrong']} of {row['outputs']} "
                   f"outputs, {row['error_over_bound']} of the bound")


def measure(options):
    layers, problems = read_layers(options.shapes, options.filter)
    for problem in problems:
        print(f"measure: {problem}", file=sys.stderr)
    if not layers:
        raise Usage("no layer to measure")
    if importlib.util.find_spec("torch") is None:
        raise Usage(f"{sys.executable} has no PyTorch, must be a Python with "
                    "it; PYTHON names run.sh another")
    pack = packing.Pack(options.pack) if "ctc" in options.peers else None
    cells = plan_cells(layers, options, pack)
    if options.resume and pathlib.Path(options.results).exists():
        _, old, _ = rows.read_results(options.results)
        have = {rows.cell_key(row) for row in old}
        cells = [cell for cell in cells
                 if rows.cell_key(public_name(cell)) not in have]
    results = rows.Results(options.results)
    supervisor = Supervisor(cells, layers, options, results)
    try:
        supervisor.run()
    except KeyboardInterrupt:
        supervisor.stopped = "interrupted"
    finally:
        results.close()
    summary = ", ".join(f"{count} {status}" for status, count in
                        sorted(supervisor.counts.items())) or "nothing measured"
    print(f"{summary}; {len(supervisor.left)} of {supervisor.total} cells not "
          f"run{': ' + supervisor.stopped if supervisor.stopped else ''}")
    if supervisor.wrong:
        return 3
    return 5 if supervisor.left else 2 if problems else 0


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        return measure(options)
    except (Usage, packing.PackError, rows.ResultsError) as error:
        print(f"measure: {error}", file=sys.stderr)
        return 2
    except WorkerFailure as error:
        print(f"measure: {error}", file=sys.stderr)
        return 4


if __name__ == "__main__":
    sys.exit(main())
