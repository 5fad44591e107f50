#===- test_cases.py - The conformance cases are what they say --------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Holds the case files against the definition, so that a result that differs
speaks of the compiler and not of a slip in a table."""

import itertools
import json
import math
import pathlib
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
FILES = ("edges.json", "onednn.json", "onnx.json")


def cases(file):
    return json.loads((FOLDER / file).read_text())["cases"]


def pads(case):
    return [(p, p) if isinstance(p, int) else tuple(p)
            for p in case["padding"]]


def output_sizes(case):
    return [(i - 1) * s - lo - hi + d * (k - 1) + op + 1
            for i, k, s, d, (lo, hi), op in zip(
                case["spatial"], case["kernel"], case["stride"],
                case["dilation"], pads(case), case["output_padding"])]


def scatter(case):
    """The layer as nested lists of integers, by the definition alone."""
    sizes = output_sizes(case)
    y = {}
    per_group = (case["Cin"] // case["groups"], case["Cout"] // case["groups"])

    def at(tensor, index):
        for i in index:
            tensor = tensor[i]
        return tensor

    ranges = [range(size) for size in case["spatial"]]
    taps = [range(size) for size in case["kernel"]]
    for n, c, m in itertools.product(range(case["N"]), range(case["Cin"]),
                                     range(per_group[1])):
        for i, k in itertools.product(itertools.product(*ranges),
                                      itertools.product(*taps)):
            o = tuple(a * s - lo + b * d for a, b, s, d, (lo, _) in zip(
                i, k, case["stride"], case["dilation"], pads(case)))
            if all(0 <= at_o < size for at_o, size in zip(o, sizes)):
                key = (n, c // per_group[0] * per_group[1] + m, *o)
                y[key] = y.get(key, 0) + (at(case["x"], (n, c, *i)) *
                                          at(case["w"], (c, m, *k)))
    return y


def flatten(tensor, index=()):
    if not isinstance(tensor, list):
        yield index, tensor
        return
    for i, part in enumerate(tensor):
        yield from flatten(part, index + (i,))


class Cases(unittest.TestCase):
    def test_counts(self):
        self.assertEqual({file: len(cases(file)) for file in FILES},
                         {"edges.json": 34, "onednn.json": 299, "onnx.json": 14})

    def test_names_are_unique(self):
        for file in ("edges.json", "onnx.json"):
            names = [case["name"] for case in cases(file)]
            self.assertEqual(len(set(names)), len(names), file)

    def test_output_sizes(self):
        for file in FILES:
            for case in cases(file):
                self.assertEqual(output_sizes(case), case["out_spatial"],
                                 f"{file}: {case['name']}")

    def test_groups_divide_channels(self):
        for file in FILES:
            for case in cases(file):
                for channels in (case["Cin"], case["Cout"]):
                    self.assertEqual(channels % case["groups"], 0,
                                     f"{file}: {case['name']}")

    def test_integer_results(self):
        """The eleven ONNX cases with integer data, recomputed."""
        checked = 0
        for case in cases("onnx.json"):
            if case["self_check_max_abs_err"] != 0:
                continue
            expected = scatter(case)
            for index, value in flatten(case["y"]):
                self.assertEqual(value, expected.get(index, 0), case["name"])
            checked += 1
        self.assertEqual(checked, 11)

    def test_edges_reach_what_they_are_for(self):
        edges = {case["name"]: case for case in cases("edges.json")}
        per_dim = [(k, s, d) for case in edges.values() for k, s, d in
                   zip(case["kernel"], case["stride"], case["dilation"])]
        self.assertTrue(any(k < s for k, s, d in per_dim))
        self.assertTrue(any(math.gcd(s, d) > 1 for _, s, d in per_dim))
        self.assertIn(0, edges["empty_output"]["out_spatial"])
        self.assertEqual({case["rank"] for case in edges.values()}, {1, 2, 3})


if __name__ == "__main__":
    unittest.main()
