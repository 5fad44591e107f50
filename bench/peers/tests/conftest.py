#===- conftest.py - What the tests of the benchmark share -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The scripts are flat, as they run in a pack; this puts them on the path."""

import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parent
PROJECT = PEERS.parent.parent
BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", PROJECT / "build"))
sys.path.insert(0, str(PEERS))

CTC = BUILD / "bin" / "ctc"
RUNTIME = BUILD / "lib" / "libctc_runtime.so"
needs_ctc = pytest.mark.skipif(
    not (CTC.exists() and RUNTIME.exists()),
    reason=f"{CTC} or {RUNTIME} is not built")


def compiles():
    """Whether there is a toolkit that assembles."""
    return CTC.exists() and subprocess.run(
        [CTC, "compile", "--input=1x1x1xf32", "--weight=1x1x1xf32",
         "--chip=sm_80", "-o", os.devnull], capture_output=True,
        check=False).returncode == 0


def case(**changes):
    """A small layer as files have it."""
    made = {"name": "small", "N": 2, "Cin": 4, "Cout": 4, "spatial": [3, 4],
            "kernel": [3, 2], "stride": [2, 2], "padding": [1, 0],
            "output_padding": [1, 0], "dilation": [1, 1], "groups": 1,
            "bias": True}
    made.update(changes)
    return made


@pytest.fixture
def shapes_file(tmp_path):
    """Writes cases to a file and gives its path."""
    def write(*cases, name="layers.json"):
        path = tmp_path / name
        path.write_text(json.dumps({"cases": list(cases)}), encoding="utf-8")
        return path
    return write
