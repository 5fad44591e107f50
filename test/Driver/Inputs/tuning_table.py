#===- tuning_table.py - A table of one bundle's kernel ---------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""tuning_table.py INSPECTED.json: prints a tuning table for the layer that
`ctc inspect --json` was asked about, channels first, with its kernel and made-up
times."""

import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    image = json.load(file)["images"][0]
entry = image["entries"][0]
dims = entry["dimensions"]
shape = {argument["role"]: argument["shape"] for argument in entry["arguments"]}
problem = {"N": shape["input"][0], "Cin": shape["input"][1],
           "Cout": shape["output"][1], "groups": entry["groups"],
           "spatial": [dim["input"] for dim in dims],
           "layout": entry["layout"], "dtype": entry["type"],
           "precision": entry["precision"]}
for key in ("kernel", "stride", "padding", "output_padding", "dilation"):
    problem[key] = [dim[key] for dim in dims]
print(json.dumps({"format": 1, "chip": image["chip"], "entries": [
    {"problem": problem, "kernel": entry["kernel"], "board": "a board",
     "seconds": 5e-6, "model_seconds": 6e-6}]}))
