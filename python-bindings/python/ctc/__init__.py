#===- __init__.py - The compiler for transposed convolution ----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""ctc: transposed convolution for NVIDIA GPUs, compiled ahead of time.

    import ctc
    import numpy as np

    bundle = ctc.compile(input=(1, 8, 16, 16), weight=(8, 4, 2, 2), stride=2)
    layer = bundle.prepare(np.ones((8, 4, 2, 2), np.float32))
    y = layer(np.ones((1, 8, 16, 16), np.float32))

Arrays are those of any framework that speaks DLPack or the CUDA array
interface; NumPy's run on the cpu device, which executes the bundle's PTX.
`ctc.torch` has drop-in modules for PyTorch, `ctc.jax` a function for JAX.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ctc import _runtime
from ctc._bundle import Argument, Bundle, Entry, load
from ctc._compile import chip_of, compile, has_compiler
from ctc._devices import Device, chips, device
from ctc._errors import (BundleError, CompileError, CompilerMissingError,
                         DeviceError, Error, NoDeviceError, NoImageError,
                         OutOfMemoryError)
from ctc._runtime import PreparedLayer

if TYPE_CHECKING:
    from types import ModuleType

__version__: str = _runtime.version()

__all__ = [
    "Argument", "Bundle", "BundleError", "CompileError",
    "CompilerMissingError", "Device", "DeviceError", "Entry", "Error",
    "NoDeviceError", "NoImageError", "OutOfMemoryError", "PreparedLayer",
    "chip_of", "chips", "compile", "device", "has_compiler", "load",
]


def __dir__() -> list[str]:
    """What is public; ctc.torch and ctc.jax are left out, since whoever looks
    at every name would import them."""
    return sorted([*__all__, *(name for name in globals()
                               if name.startswith("__"))])


def __getattr__(name: str) -> ModuleType:
    """ctc.torch and ctc.jax, imported when they are first named."""
    if name in ("torch", "jax"):
        import importlib

        return importlib.import_module(f"ctc.{name}")
    raise AttributeError(f"module 'ctc' has no attribute {name!r}")
