#===- lit.cfg.py - How lit runs the tests of this folder -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Every test beside the rung it tests; what is missing on a machine is a
feature that a test REQUIRES, so that it is reported as unsupported:

  ptxas        bin/ptxas of the CUDA toolkit found at configure time
  libdevice    nvvm/libdevice/libdevice.10.bc of the same toolkit
  cuda-device  a GPU that the driver can open
  compiler     ctc and ctc-opt were built
  benchmarks   the programs of bench/ were built
"""

import ctypes
import os
import pathlib

import lit.formats


def opens_cuda_device():
    """Whether the driver is there and counts at least one GPU."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int()
    return (driver.cuInit(0) == 0
            and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
            and count.value > 0)


def find_features():
    toolkit = pathlib.Path(config.ctc_cuda_toolkit or "/nonexistent")
    tools = pathlib.Path(config.ctc_tools_dir)
    found = {
        "ptxas": os.access(toolkit / "bin" / "ptxas", os.X_OK),
        "libdevice": (toolkit / "nvvm/libdevice/libdevice.10.bc").is_file(),
        "cuda-device": opens_cuda_device(),
        "compiler": (tools / "ctc-opt").exists() and (tools / "ctc").exists(),
        "benchmarks": (tools / "launch-overhead").exists(),
    }
    return [name for name, is_there in found.items() if is_there]


config.name = "ctc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs", "unit", "architecture", "conformance",
                   "docs", "scripts", "results"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.ctc_build_dir, "test")

config.available_features.update(find_features())
config.environment["PATH"] = os.pathsep.join(
    [config.ctc_tools_dir, config.llvm_tools_dir,
     config.environment.get("PATH", "")])
if config.ctc_cuda_toolkit:
    config.environment["CTC_CUDA_TOOLKIT"] = config.ctc_cuda_toolkit

config.substitutions += [
    ("%ctc_src", config.ctc_source_dir),
    ("%ctc_build", config.ctc_build_dir),
    ("%ctc_lib", config.ctc_library_dir),
    ("%mlir_lib", config.llvm_library_dir),
    ("%python", config.python_executable),
]
