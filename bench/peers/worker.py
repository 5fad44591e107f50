#===- worker.py - Measures cells, in a process of its own -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Started by measure.py, which reads what it says: one JSON object a line on
the standard output, {"start": cell, "limit": seconds}, {"row": row} or
{"stop": reason}. The cells to measure come as JSON on the standard input.

A fault on the GPU spoils its context for the whole process, and a call that
hangs cannot be ended from within: then this process ends or is ended, and
measure.py starts another for the cells that are left.
"""

import dataclasses
import gc
import json
import os
import pathlib
import subprocess
import sys
import time
import traceback

import torch

import clock
import contenders
import ctc_library
import floors
import oracle
import packing
import shapes
import summary
from rows import cell_key

SPOILED = 75  # The exit code after a fault that spoils the context.


@dataclasses.dataclass
class Plan:
    """What measure.py wants."""
    cells: list
    layers: dict
    device: str
    pack: str
    library: str
    budget: float
    deadline: float
    limits: dict
    compile_mode: str | None = None
    fakes: str | None = None
    wants_ceilings: bool = False

    @classmethod
    def read(cls, stream):
        plan = cls(**json.load(stream))
        plan.layers = {name: shapes.read_case(case, "layer", case["file"])
                       for name, case in plan.layers.items()}
        return plan


def say(out, **message):
    out.write(json.dumps(message) + "\n")
    out.flush()


def driver_version():
    """As nvidia-smi says, or None."""
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader",
             "--id=0"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return said.stdout.strip() or None


def ceilings(the_clock):
    """Bytes per second of a large copy, read and written, and operations per
    second of large products of random matrices: what this GPU reaches now."""
    source = torch.rand(1 << 29, device="cuda")
    target = torch.empty_like(source)

    def median(call):
        return summary.summarize(the_clock.measure(call, 1).seconds)["median"]

    found = {"copy": 2 * source.nbytes / median(
        lambda _: target.copy_(source))}
    del source, target
    torch.backends.cuda.matmul.allow_tf32 = True
    size = 8192
    for name, dtype in (("tf32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.rand(size, size, device="cuda").sub_(0.5).to(dtype)
                for _ in range(2))
        found[name] = 2 * size ** 3 / median(lambda _: torch.mm(a, b))
        del a, b
    return found


def environment(device):
    """What the times depend on, for the head of the results."""
    found = {"torch": torch.__version__, "python": sys.version.split()[0],
             "device": device}
    try:
        import triton
        found["triton"] = triton.__version__
    except ImportError:
        found["triton"] = None
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found.update(
            gpu=properties.name, driver=driver_version(),
            cuda=torch.version.cuda,
            cudnn=torch.backends.cudnn.version(),
            capability=[properties.major, properties.minor],
            l2_bytes=properties.L2_cache_size,
            memory_bytes=properties.total_memory)
    return found


class Worker:
    def __init__(self, plan, out):
        self.plan, self.out = plan, out
        self.device = plan.device
        if self.device == "cuda":
            self.clock = clock.CudaClock(plan.budget)
            self.rates = floors.rates_of(torch.cuda.get_device_capability(),
                                         torch.cuda.get_device_name())
        else:
            self.clock, self.rates = clock.HostClock(), floors.MEASURED_H200
        self.peers = {}
        self.case = self.reference = None

    def peer(self, name):
        if name not in self.peers:
            self.peers[name] = self._make(name)
        return self.peers[name]

    def _make(self, name):
        plan = self.plan
        if name == "ctc":
            return contenders.Ctc(packing.Pack(plan.pack), plan.library,
                                  plan.device)
        if name == "eager":
            return contenders.Eager()
        if name == "compile":
            return contenders.Compile(plan.compile_mode)
        if name.startswith("reference:"):
            return contenders.Reference(name.split(":", 1)[1])
        if plan.fakes:
            sys.path.insert(0, str(pathlib.Path(plan.fakes).parent))
            return __import__(pathlib.Path(plan.fakes).stem).make(name)
        raise contenders.Missing(f"no contender is called {name}")

    # -- One cell --------------------------------------------------------------

    def prepare_case(self, layer, precision):
        """Inputs and reference, shared by the cells of a layer."""
        if self.case and (self.case.layer.name, self.case.precision) == (
                layer.name, precision):
            return
        self.case = self.reference = None
        self.collect()
        element, _ = floors.PRECISIONS[precision]
        case = contenders.Case.make(layer, precision, element, self.device)
        most = None
        if self.device == "cuda":
            # A quarter of the memory for values and magnitudes.
            most = torch.cuda.mem_get_info()[0] // 4 // 12
        self.reference = oracle.Reference(layer, precision, case.x, case.w,
                                          case.b, most)
        self.case = case

    def collect(self):
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def measure(self, cell):
        """The row of a cell; what goes wrong is a row, too."""
        row = {name: cell[name] for name in ("layer", "precision", "layout",
                                             "peer", "variant")}
        row["source"] = self.plan.layers[cell["layer"]].source
        began = time.perf_counter()
        try:
            self.prepare_case(self.plan.layers[cell["layer"]],
                              cell["precision"])
            row.update(self.floor(cell))
            row.update(self.timed(cell))
        except Exception as error:
            row.update(failure(error))
        row["cell_seconds"] = round(time.perf_counter() - began, 3)
        return row

    def floor(self, cell):
        layer = self.plan.layers[cell["layer"]]
        if self.rates is None:
            return {"floor_s": None}
        floor = floors.floor_of(layer, cell["precision"], self.rates)
        return {"floor_s": floor.seconds, "floor_bound": floor.bound,
                "bytes": floor.bytes, "macs": floor.macs}

    def timed(self, cell):
        peer = self.peer(cell["peer"])
        bound = peer.bind(self.case, cell["layout"], cell["variant"],
                          self.clock.cache_bytes)
        try:
            began = time.perf_counter()
            bound.call(0)
            self.clock.synchronize()
            first = time.perf_counter() - began
            timing = self.clock.measure(bound.call, bound.sets)
            row = {"dry_run": self.clock.is_dry, "buffer_sets": bound.sets,
                   "set_bytes": self.case.set_bytes(),
                   "first_call_seconds": round(first, 6), **bound.details,
                   **report(timing)}
            if cell["peer"] == "ctc":
                row.update(self.prepare_time(bound))
            row.update(self.check(cell, bound))
            return row
        finally:
            bound.close()

    def prepare_time(self, bound):
        times = [self.clock.once(bound.prepare)[0] for _ in range(5)]
        return {"prepare_s": summary.summarize(times)["median"]}

    def check(self, cell, bound):
        """What the last set holds against the reference; of ctc the other sets
        have to hold the same bits."""
        is_ctc = cell["peer"] == "ctc"
        arithmetic = oracle.ctc_arithmetic(
            bound.details["family"], cell["precision"]) if is_ctc else \
            oracle.peer_arithmetic(cell["precision"])
        output = bound.output(bound.sets - 1)
        verdict = self.reference.check(output, arithmetic)
        row = {"status": verdict.status, "checked": verdict.checked,
               "outputs": verdict.outputs, "wrong": verdict.wrong,
               "error_over_bound": finite(verdict.error_over_bound),
               "norm_over_bound": finite(verdict.norm_over_bound)}
        if is_ctc and verdict.wrong:
            row["status"] = "wrong"
        if is_ctc:
            row["same_bits"] = all(torch.equal(output, bound.output(index))
                                   for index in range(bound.sets - 1))
            if not row["same_bits"]:
                row.update(status="wrong",
                           message="sets with the same inputs differ")
        return row

    def is_spoiled(self):
        if self.device != "cuda":
            return False
        try:
            torch.cuda.synchronize()
            return float(torch.ones(1, device="cuda").sum()) != 1
        except Exception:
            return True

    def run(self):
        for cell in self.plan.cells:
            kind = cell["peer"].split(":")[0]
            limit = self.plan.limits.get(kind, self.plan.limits["default"])
            if time.time() > self.plan.deadline:
                say(self.out, stop="the time budget is used up")
                return 0
            say(self.out, start=cell, limit=limit)
            row = self.measure(cell)
            spoiled = row["status"] not in ("ok", "norm") and self.is_spoiled()
            if spoiled and row["status"] == "error":
                row["status"] = "crashed"
            say(self.out, row=row)
            if spoiled:
                return SPOILED
            self.collect_after(row)
        say(self.out, stop="")
        return 0

    def collect_after(self, row):
        if row["status"] == "out of memory":
            self.case = self.reference = None
        if row["status"] not in ("ok", "norm"):
            self.collect()


def finite(value):
    return value if abs(value) < float("inf") else None


def report(timing):
    """Seconds: of single calls, and per call of a graph's replay."""
    row = {f"{name}_s" if name != "samples" else name: value
           for name, value in summary.summarize(timing.seconds).items()}
    if timing.graph_seconds:
        graph = summary.summarize(timing.graph_seconds)
        row.update({f"graph_{name}_s": graph[name]
                    for name in ("median", "q1", "q3", "min")})
    if timing.note:
        row["note"] = timing.note
    return row


def failure(error):
    """Status and message of a row for an exception."""
    if isinstance(error, contenders.Unsupported):
        return {"status": "unsupported", "message": str(error)}
    if isinstance(error, contenders.Missing):
        return {"status": "missing", "message": str(error)}
    out_of_memory = isinstance(error, (torch.OutOfMemoryError, MemoryError)) \
        or (isinstance(error, ctc_library.CtcError) and
            error.status == ctc_library.OUT_OF_MEMORY)
    status = "out of memory" if out_of_memory else "error"
    known = isinstance(error, (packing.PackError, ctc_library.CtcError))
    if not (known or out_of_memory):
        traceback.print_exc(limit=-4)
    name = "" if known else f"{type(error).__name__}: "
    return {"status": status, "message": name + clock.first_line(error)}


def main():
    # Libraries print where they like; what is said to measure.py is apart.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    plan = Plan.read(sys.stdin)
    try:
        worker = Worker(plan, out)
    except Exception as error:
        say(out, fail=f"{type(error).__name__}: {clock.first_line(error)}")
        return 1
    found = environment(plan.device)
    if plan.wants_ceilings and plan.device == "cuda":
        try:
            found["ceilings"] = ceilings(worker.clock)
        except Exception as error:  # A GPU with little memory, say.
            found["ceilings_note"] = clock.first_line(error)
    say(out, environment=found)
    return worker.run()


if __name__ == "__main__":
    sys.exit(main())
