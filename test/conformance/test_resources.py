#===- test_resources.py - No spills, no holes ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""A sample of the layers of onednn.json for all chips; every layer with
`resources.py`."""

import os
import pathlib
import unittest

import resources

BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", resources.ROOT / "build"))
CHIPS = "sm_80,sm_86,sm_89,sm_90a,sm_100a,sm_120a"


class Resources(unittest.TestCase):

    def test_sample_has_no_faults(self):
        cases = resources.load(resources.FOLDER / "onednn.json", every=33)
        faults, registers = resources.check(BUILD / "bin/ctc", cases, "f32", CHIPS)
        self.assertEqual(faults, [])
        self.assertGreater(registers, 0)

    def test_faults_are_named(self):
        kernel = {"kernel": "k", "spill_store_bytes": 8, "spill_load_bytes": 0,
                  "stack_bytes": 0, "warnings": ["ptxas warning : w"]}
        image = {"kernels": [kernel], "entries": [{"name": "e", "holes": 1.5}]}
        self.assertEqual(list(resources.faults_of(image)), [
            "k: spill_store_bytes is 8, must be 0", "k: ptxas warning : w",
            "e: holes is 1.5, must be exactly 1"])


if __name__ == "__main__":
    unittest.main()
