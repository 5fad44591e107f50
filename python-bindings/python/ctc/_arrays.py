#===- _arrays.py - What only a framework can do with its arrays ------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Making and copying arrays; called by the extension module."""

from __future__ import annotations

from typing import Any


def _framework(array: Any) -> str:
    return type(array).__module__.partition(".")[0]


def empty_like(array: Any, shape: tuple[int, ...], dtype: str) -> Any:
    """A new array of the framework and on the device of `array`."""
    framework = _framework(array)
    if framework == "torch":
        import torch

        return torch.empty(shape, dtype=getattr(torch, dtype),
                           device=array.device)
    if framework == "numpy":
        import numpy

        same = array.dtype.name == dtype
        return numpy.empty(shape, array.dtype if same else dtype)
    if framework == "cupy":
        import cupy  # type: ignore[import-not-found, unused-ignore]

        with array.device:
            same = array.dtype.name == dtype
            return cupy.empty(shape, array.dtype if same else dtype)
    if framework in ("jax", "jaxlib"):
        raise TypeError("a jax array cannot be written to; call the layer "
                        "through ctc.jax, or give out=")
    namespace = getattr(array, "__array_namespace__", None)
    if namespace is None:
        raise TypeError(f"ctc cannot make a {type(array).__name__}; give out=")
    return namespace().empty(shape, dtype=dtype, device=array.device)


def contiguous(array: Any) -> Any:
    """The array itself, or a dense copy of it in row-major order."""
    if hasattr(array, "contiguous"):
        return array.contiguous()
    framework = _framework(array)
    if framework == "numpy":
        import numpy

        return numpy.ascontiguousarray(array)
    if framework == "cupy":
        import cupy  # type: ignore[import-not-found, unused-ignore]

        return cupy.ascontiguousarray(array)
    raise TypeError(f"ctc cannot copy a {type(array).__name__}; give a dense "
                    "array")
