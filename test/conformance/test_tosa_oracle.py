#===- test_tosa_oracle.py - The small tier of the TOSA oracle --------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Every eighth case of onednn.json that TOSA can express; all of them with
`tosa_oracle.py --full`. A case of its own for each group of cases, so that a
result that differs says which."""

import contextlib
import io
import os
import pathlib
import unittest
from unittest import mock

import tosa_oracle

BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", tosa_oracle.ROOT / "build"))
LLVM = pathlib.Path("/usr/lib/llvm-22")
CASES = tosa_oracle.FOLDER / "onednn.json"


def find_tools():
    try:
        return tosa_oracle.Tools.find(BUILD, LLVM, "cpu")
    except tosa_oracle.Missing as error:
        raise unittest.SkipTest(str(error)) from error


class Cases(unittest.TestCase):

    def test_what_tosa_can_express(self):
        layers, total = tosa_oracle.load_layers(CASES, "")
        self.assertEqual((len(layers), total), (142, 299))

    def test_shrinking_keeps_the_parity(self):
        self.assertEqual([tosa_oracle.shrink(size, 6) for size in
                          (1, 5, 6, 7, 8, 511, 512)], [1, 5, 6, 5, 6, 5, 6])

    def test_out_pad_has_the_opposite_sign_and_the_output_padding(self):
        layer = tosa_oracle.to_layer(
            {"name": "a", "N": 1, "Cin": 2, "Cout": 3, "spatial": [4, 4],
             "kernel": [3, 3], "stride": [2, 2], "padding": [[1, 0], 2],
             "output_padding": [0, 1]}, 0)
        self.assertEqual(layer.out_pad, (-1, 0, -2, -1))
        self.assertEqual(layer.output_space(), (8, 6))


class Comparison(unittest.TestCase):

    def setUp(self):
        self.tools = find_tools()
        self.layers = tosa_oracle.load_layers(CASES, "")[0]

    def test_small_tier_agrees(self):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            code = tosa_oracle.main(["--build", str(BUILD)])
        self.assertEqual(code, 0, printed.getvalue())
        self.assertIn("18 of 18 cases agree", printed.getvalue())

    def test_one_wrong_output_is_found(self):
        layer = self.layers[:1]
        wrong = tosa_oracle.run_upstream(self.tools, layer)
        wrong[0][1] += 1
        with mock.patch.object(tosa_oracle, "run_ctc", return_value=wrong):
            [line] = tosa_oracle.compare(self.tools, layer)
        self.assertRegex(line, "output 1 is .*, upstream has ")

    def test_a_failing_command_names_the_case_and_the_command(self):
        layer = self.layers[:1]
        with mock.patch.object(tosa_oracle, "UPSTREAM", "builtin.module(no)"):
            [line] = tosa_oracle.compare_all(self.tools, layer, 1)
        self.assertIn(layer[0].name, line)
        self.assertIn("mlir-opt", line)


if __name__ == "__main__":
    unittest.main()
