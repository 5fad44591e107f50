#===- profile_plan.py - What is counted against what is planned ------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""profile_plan.py BUNDLE UNIT [--loads | --copies]: profiles the only launch of a
bundle's only entry and compares it with what `ctc inspect` says of the plan: the
multiply-adds of UNIT and what blocks load. --loads counts the sectors that
blocks touch, where halos are made of whole ones; --copies the bytes that
asynchronous copies ask for, where no vector reaches past its halo."""

import json
import subprocess
import sys


def ctc(*arguments):
    done = subprocess.run(["ctc", *arguments, "--json"], check=True,
                          capture_output=True)
    return json.loads(done.stdout)


bundle, unit = sys.argv[1:3]
entry = ctc("inspect", bundle)["images"][0]["entries"][0]
profile = ctc("profile", bundle)
[launch] = profile["launches"]

planned = entry["useful_macs"] * entry["holes"] * entry["border"] * entry["tile"]
counted = launch["multiply_adds"][unit]
assert isinstance(counted, int), counted
assert abs(planned - round(planned)) < 1e-6 * planned, planned
assert counted == round(planned), (counted, planned)
assert profile["useful_multiply_adds"] == entry["useful_macs"]

work = [row for row in launch["instructions"] if row.get("unit") == unit]
assert sum(row["multiply_adds"] for row in work) == counted
assert launch["blocks"] == launch["executed_blocks"] > 0

buffers = {row["name"]: row for row in launch["buffers"]}
output = buffers["output"]
assert output["distinct_stored_bytes"] == -(-output["bytes"] // 32) * 32, output
assert output["loaded_bytes"] == 0, output
if "--loads" in sys.argv:
    loads = sum(buffers[name]["block_loaded_bytes"]
                for name in ("input", "packed weight"))
    planned = profile["planned_load_bytes"]
    # Threads out of bounds read the buffer's first element and drop it: of each
    # of the two a sector that a block may have no other use for.
    most = planned + 2 * 32 * launch["blocks"]
    assert planned <= loads <= most, (loads, planned)
if "--copies" in sys.argv:
    copied = sum(row["global"]["bytes"] for row in launch["instructions"]
                 if row["class"] == "async copy" and "global" in row)
    assert copied == profile["planned_load_bytes"], (copied, profile)
