#===- fake_cuda.py - The recording CUDA driver, from Python ----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs a script in a process whose CUDA driver records what it is asked
(test/unit/Runtime/FakeCuda.cpp), so that the way to a GPU is tested where
there is none. Device memory is host memory there, and kernels do nothing."""

import os
import pathlib
import subprocess
import sys
import textwrap

import pytest

FOLDER = pathlib.Path(os.environ.get("CTC_BUILD_DIR", "build"),
                      "test/unit/Runtime/fake-cuda")

PRELUDE = """
import ctypes
import numpy as np
import ctc

driver = ctypes.CDLL("libcuda.so.1")
driver.fakeCudaCount.argtypes = [ctypes.c_char_p]
driver.fakeCudaCount.restype = ctypes.c_long
driver.fakeCudaLastStream.restype = ctypes.c_void_p


def count(what):
    return driver.fakeCudaCount(what.encode())


class Device:
    def __init__(self, number):
        self.id = number


class Cuda:
    '''An array of a fake GPU, as Numba and CuPy describe theirs.'''

    def __init__(self, array, device=0, stream=None, readonly=False):
        self.array, self.device, self.stream = array, Device(device), stream
        self.readonly = readonly

    @property
    def __cuda_array_interface__(self):
        own = self.array.__array_interface__
        return {"shape": own["shape"], "typestr": own["typestr"],
                "strides": own["strides"], "stream": self.stream,
                "data": (own["data"][0], self.readonly), "version": 3}


def new(shape, device=0, **options):
    # The driver aligns to 256 bytes, malloc to 16.
    return Cuda(np.zeros(shape, np.float32), device, **options)


bundle = ctc.compile(input=(None, 4, 5, 6), weight=(4, 3, 2, 2), stride=2,
                     bias=True, chips="sm_90a")


def prepare(device=0, **options):
    return bundle.prepare(new((4, 3, 2, 2), device), new((3,), device),
                          **options)
"""


def run(body, **environment):
    """Runs PRELUDE and `body`; returns what it printed, or fails."""
    if not (FOLDER / "libcuda.so.1").exists():
        pytest.skip("no build tree with the recording CUDA driver")
    result = subprocess.run(
        [sys.executable, "-c", PRELUDE + textwrap.dedent(body)], text=True,
        capture_output=True, timeout=300,
        env={**os.environ, "LD_LIBRARY_PATH": str(FOLDER),
             "CTC_FAKE_CUDA_ANY_KERNEL": "1", **environment})
    assert result.returncode == 0, result.stderr
    return result.stdout
