#===- tune.py - A tuning table from measured kernels ------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Makes the variants whose kernels are worth measuring, and a tuning table of
those that were faster than what the cost model puts first:

    tune.py variants -o VARIANTS.json [--candidates=K] [--families=LIST]
    pack.py SHAPES.json... -o FOLDER --chip=CHIP --variants=VARIANTS.json
    FOLDER/run.sh --peers=ctc                        (on a machine with a GPU)
    tune.py table FOLDER RESULTS.jsonl... -o lib/Tuning/Tables/CHIP.json

A kernel enters the table when its result was checked and correct, it spills
nothing, and its time is below that of the model's first choice by more than the
noise: their quartiles, over all cells that timed the same kernel, lie apart.
Entries of problems that were not measured stay. docs/Benchmarks.md has more.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

import json_text
import packing
import rows
import summary
from measure import Usage

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
FORMAT = 1
MODEL = "model"  # The variant that the cost model chooses by itself.
# What a family serves, and whether it has more kernels than one for a layer.
FAMILIES = {"mma_sync": (["tf32", "tf32x3", "f16", "bf16"], True),
            "wgmma_ra": (["tf32", "f16", "bf16"], True),
            "simt": (["tf32", "ieee", "f16", "bf16"], False)}


# -- Variants ------------------------------------------------------------------

def places(count):
    """Places of a ranking: neighbours differ little, so the steps grow."""
    place, result = 0, []
    while len(result) < count:
        result.append(place)
        place = max(place + 1, place * 3 // 2)
    return result


def make_variants(families, candidates):
    """The model's choice, and places of each family's ranking."""
    variants = [{"name": MODEL, "flags": ["--no-tuning-table"]}]
    for family in families:
        precisions, is_ranked = FAMILIES[family]
        for place in places(candidates if is_ranked else 1):
            variants.append(
                {"name": f"{family}-{place}", "precisions": precisions,
                 "flags": [f"--family={family}", f"--candidate={place}"]})
    return variants


def write_atomically(path, text):
    """All of it or nothing."""
    handle, staged = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(staged, 0o644)
        os.replace(staged, path)
    except OSError:
        os.unlink(staged)
        raise


# -- What was measured ---------------------------------------------------------

def without_source(kernel):
    """A kernel's text, whoever chose it."""
    return re.sub(r", source = \w+", "", kernel)


class Bundles:
    """What the compiler says about bundles of a pack."""

    def __init__(self, pack, build):
        self.pack, self.ctc = pack, build / "bin" / "ctc"
        if not self.ctc.is_file():
            raise Usage(f"{self.ctc}: no such program; build it, or name its "
                        "build tree with --build")

    def image(self, row):
        data = self.pack.bundle(*packing.key_of(row))
        done = subprocess.run([self.ctc, "inspect", "-", "--json"], input=data,
                              capture_output=True, check=False)
        if done.returncode:
            raise Usage(f"{' '.join(packing.key_of(row))}: "
                        f"{done.stderr.decode(errors='replace').strip()}")
        image = json.loads(done.stdout)["images"][0]
        if image["entries"][0]["kernel"] != row["kernel"]:
            raise Usage(f"{' '.join(packing.key_of(row))}: the results are of "
                        "another kernel than the pack's; name the pack they "
                        "were measured with")
        return image


def problem_of(entry):
    """Everything that decides a kernel, as a table has it."""
    shape = {argument["role"]: argument["shape"]
             for argument in entry["arguments"]}
    channels = 1 if entry["layout"] == "channels_first" else -1
    dims = entry["dimensions"]
    return {"N": shape["input"][0], "Cin": shape["input"][channels],
            "Cout": shape["output"][channels], "groups": entry["groups"],
            "spatial": [dim["input"] for dim in dims],
            **{key: [dim[key] for dim in dims]
               for key in ("kernel", "stride", "padding", "output_padding",
                           "dilation")},
            "layout": entry["layout"], "dtype": entry["type"],
            "precision": entry["precision"]}


def spills(image):
    """Whether ptxas keeps registers in local memory, or warpgroups'
    instructions apart (its warnings C75xx)."""
    return any(kernel["spill_store_bytes"] + kernel["spill_load_bytes"] or
               any("(C75" in warning for warning in kernel.get("warnings", []))
               for kernel in image["kernels"])


class Timed:
    """The rows of one kernel: its time, and the range that its quartiles span
    in all cells that timed it."""

    def __init__(self, found, kind):
        self.row = found[0]
        self.seconds = statistics.median(row[f"{kind}median_s"]
                                         for row in found)
        self.low = min(row[f"{kind}q1_s"] for row in found)
        self.high = max(row[f"{kind}q3_s"] for row in found)


def is_timed(row):
    """Whether a row has a time that counts: of ctc, checked, in cubins."""
    return row["peer"] == "ctc" and row["status"] == "ok" and \
        not row.get("dry_run") and not row.get("uses_ptx")


def kernels_of(found):
    """{text without source: Timed}. Graphs count where all rows have one."""
    kind = "graph_" if all("graph_median_s" in row for row in found) else ""
    groups = {}
    for row in found:
        groups.setdefault(without_source(row["kernel"]), []).append(row)
    return {text: Timed(group, kind) for text, group in groups.items()}


class Measured:
    """One problem with the kernels that were timed for it."""

    def __init__(self, problem, found, board):
        self.problem, self.found, self.board = problem, found, board
        self.kernels = kernels_of(found)
        model = next(row for row in found if row["variant"] == MODEL)
        self.model = self.kernels[without_source(model["kernel"])]
        self.layers = list(dict.fromkeys(row["layer"] for row in found))

    def winner(self, bundles):
        """The fastest kernel that beats the model's by more than the noise;
        None when there is none."""
        faster = [timed for timed in self.kernels.values()
                  if timed.high < self.model.low]
        for timed in sorted(faster, key=lambda timed: timed.seconds):
            if not spills(bundles.image(timed.row)):
                return timed
        return None

    def entry(self, timed):
        return {"layers": self.layers, "problem": self.problem,
                "kernel": timed.row["kernel"], "board": self.board,
                "seconds": float(f"{timed.seconds:.4g}"),
                "model_seconds": float(f"{self.model.seconds:.4g}")}


def key_of(problem):
    return json.dumps(problem, sort_keys=True)


def read_measured(paths, bundles):
    """Problems of all rows. Several layers may be the same problem."""
    boards, found = set(), {}
    for path in paths:
        runs, results, broken = rows.read_results(path)
        if broken:
            print(f"tune: {path}: {broken} lines passed over that are no rows",
                  file=sys.stderr)
        boards.update(run["gpu"] for run in runs if run.get("gpu"))
        found.update({rows.cell_key(row): row
                      for row in filter(is_timed, results)})
    if not found:
        raise Usage("no row of ctc has a checked time of a GPU")
    if len(boards) != 1:
        raise Usage(f"the rows are of {len(boards)} boards "
                    f"({', '.join(sorted(boards))}), must be of one")
    places, problems = {}, {}
    for row in found.values():
        place = row["layer"], row["precision"], row["layout"]
        places.setdefault(place, []).append(row)
    for place, group in places.items():
        model = next((row for row in group if row["variant"] == MODEL), None)
        if model is None:
            print(f"tune: {' '.join(place)}: passed over, as the variant "
                  f"'{MODEL}' has no checked time", file=sys.stderr)
            continue
        problem = problem_of(bundles.image(model)["entries"][0])
        _, together = problems.setdefault(key_of(problem), (problem, []))
        together += group
    [board] = boards
    return {key: Measured(problem, group, board)
            for key, (problem, group) in problems.items()}


# -- The table -----------------------------------------------------------------

def read_table(path, chip):
    """Entries by problem. Raises Usage."""
    if not path.exists():
        return {}
    try:
        content = json_text.parse(path.read_text(encoding="utf-8"))
        found = content["format"], content["chip"]
        entries = {key_of(entry["problem"]): entry
                   for entry in content["entries"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Usage(f"{path}: is no tuning table: {error!r}") from error
    if found != (FORMAT, chip):
        raise Usage(f"{path}: is of format {found[0]} for {found[1]}, must be "
                    f"of format {FORMAT} for {chip}")
    return entries


def table_text(chip, entries):
    """A line for each part of an entry, in an order that does not depend on
    that of the measurements."""
    def lines(entry):
        return "{" + ",\n   ".join(f"{json.dumps(key)}: {json.dumps(value)}"
                                   for key, value in entry.items()) + "}"

    listed = ",\n  ".join(lines(entries[key]) for key in sorted(entries))
    return (f'{{"format": {FORMAT},\n "chip": {json.dumps(chip)},\n '
            f'"entries": [{listed}]}}\n')


def merge_one(measured, old, bundles):
    """The entry of a problem from now on, or None, and what became of it."""
    timed = measured.winner(bundles)
    is_known = old and without_source(old["kernel"]) in measured.kernels
    if old and not is_known and not (
            timed and timed.seconds < old["seconds"]):
        return old, "kept, its kernel was not measured this time"
    if timed is None:
        return None, "dropped, the model's is as fast" if old else ""
    entry = measured.entry(timed)
    gain = measured.model.seconds / timed.seconds
    return entry, (f"{measured.model.seconds * 1e6:.1f} to "
                   f"{timed.seconds * 1e6:.1f} us, {gain:.2f}x, "
                   f"{timed.row['variant']}")


def make_table(options):
    pack = packing.Pack(options.pack)
    chip = pack.manifest.get("chip")
    entries = read_table(options.output, chip)
    bundles = Bundles(pack, options.build)
    problems = read_measured(options.results, bundles)
    gains = []
    for key, measured in problems.items():
        entry, said = merge_one(measured, entries.pop(key, None), bundles)
        if entry:
            entries[key] = entry
            gains.append(entry["model_seconds"] / entry["seconds"])
        if said:
            row = measured.found[0]
            print(f"{row['layer']} {row['precision']} {row['layout']}: {said}")
    write_atomically(options.output, table_text(chip, entries))
    mean = f", {summary.geometric_mean(gains):.3f}x in geometric mean there" \
        if gains else ""
    print(f"{options.output}: {len(entries)} entries; of {len(problems)} "
          f"problems measured {len(gains)} have one{mean}")
    return 0


# -- The command line ----------------------------------------------------------

def families(text):
    names = text.split(",")
    for name in names:
        if name not in FAMILIES:
            raise argparse.ArgumentTypeError(
                f"'{name}' is no family, must be of {', '.join(FAMILIES)}")
    return names


def count(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no number of kernels, must be an integer of at least "
            "1")
    return int(text)


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    variants = commands.add_parser("variants", help="a file for pack.py")
    variants.add_argument("--candidates", type=count, default=12, metavar="K",
                          help="kernels of each ranking")
    variants.add_argument("--families", type=families, default=list(FAMILIES))
    table = commands.add_parser("table", help="a table from results")
    table.add_argument("pack", type=pathlib.Path,
                       help="the folder that was measured")
    table.add_argument("results", nargs="+")
    table.add_argument("--build", type=pathlib.Path, default=PROJECT / "build",
                       help="build tree with bin/ctc")
    for command in (variants, table):
        command.add_argument("-o", "--output", required=True,
                             type=pathlib.Path)
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    try:
        if options.command == "table":
            return make_table(options)
        found = make_variants(options.families, options.candidates)
        write_atomically(options.output,
                         json.dumps({"variants": found}, indent=1) + "\n")
        return 0
    except (Usage, packing.PackError, rows.ResultsError, OSError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
