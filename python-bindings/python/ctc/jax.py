#===- jax.py - Transposed convolution in JAX -------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Transposed convolution as custom calls of XLA.

    y = jax.jit(ctc.jax.conv_transpose, static_argnames="stride")(x, w, stride=2)

On a GPU the kernels are launched on XLA's stream; on the host the PTX machine
executes them. The weight is packed by a call of its own, which XLA may share
between uses of one weight.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ctc import _compile, _layers, _runtime

__all__ = ["conv_transpose"]


_registering = threading.Lock()


def _shaped(shape: tuple[int, ...], dtype: Any) -> Any:
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]


@functools.cache
def _register_handlers() -> None:
    for (name, platform), handler in _runtime.xla_handlers().items():
        jax.ffi.register_ffi_target(name, handler, platform=platform)


@functools.cache
def _device() -> str:
    """Where JAX computes by default, in ctc's words."""
    return "cuda:0" if jax.default_backend() in ("gpu", "cuda") else "cpu"


@functools.cache
def _registered(layer: _layers.Layer, epilogue: tuple[str, ...],
                device: str) -> tuple[int, int, tuple[int, ...]]:
    """Number, bytes of the packed weight, and shape of the output of a layer,
    compiled the first time it is traced."""
    bundle = _compile.compile_layer(layer, epilogue,
                                    [_compile.chip_of(device)])
    number = _runtime.xla_register(bundle._native)
    shape = tuple(size for size in bundle.entry().output.shape
                  if size is not None)
    return number, bundle.packed_bytes(device), shape


def _call(layer: _layers.Layer, epilogue: tuple[str, ...], x: Any, weight: Any,
          bias: Any, operands: tuple[Any, ...]) -> Any:
    _register_handlers()
    with _registering:
        number, packed_bytes, shape = _registered(layer, epilogue, _device())
    attribute = {"layer": np.int64(number)}
    ffi_call: Any = jax.ffi.ffi_call
    packed = ffi_call(
        "ctc_pack", _shaped((packed_bytes,), jnp.uint8),
        vmap_method="sequential")(weight, **attribute)
    rest = operands if bias is None else (bias, *operands)
    return ffi_call(
        "ctc_launch", _shaped(shape, x.dtype),
        vmap_method="sequential")(x, packed, *rest, **attribute)


def _by_lax(layer: _layers.Layer, x: Any, weight: Any, bias: Any) -> Any:
    """The same in JAX's own operations, for gradients: a convolution of the
    input, spread by the stride, with the flipped weight."""
    rank, groups = len(layer.input), layer.groups
    spatial = tuple(range(2, 2 + rank))
    w = jnp.flip(weight, spatial)
    # (Cin, Cout/groups, ...) to (Cout, Cin/groups, ...), group by group.
    w = w.reshape(groups, layer.input_channels // groups, *w.shape[1:])
    w = w.swapaxes(1, 2).reshape(layer.output_channels, -1, *w.shape[3:])
    pads = [(d * (k - 1) - low, d * (k - 1) - high + more)
            for d, k, (low, high), more in zip(
                layer.dilation, layer.kernel, layer.padding,
                layer.output_padding)]
    at = "".join("DHW"[3 - rank:])
    order = "N" + at + "C" if layer.layout == "channels_last" else "NC" + at
    y = jax.lax.conv_general_dilated(
        x, w, (1,) * rank, pads, lhs_dilation=layer.stride,
        rhs_dilation=layer.dilation, feature_group_count=groups,
        dimension_numbers=(order, "OI" + at, order))
    if bias is None:
        return y
    return y + (bias if layer.layout == "channels_last"
                else bias.reshape(1, -1, *[1] * rank))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _plain(layer: _layers.Layer, x: Any, weight: Any, bias: Any) -> Any:
    return _call(layer, (), x, weight, bias, ())


def _forward(layer: _layers.Layer, x: Any, weight: Any, bias: Any) -> Any:
    return _plain(layer, x, weight, bias), (x, weight, bias)


def _backward(layer: _layers.Layer, saved: Any, gradient: Any) -> Any:
    _, pull = jax.vjp(functools.partial(_by_lax, layer), *saved)
    return pull(gradient)


_plain.defvjp(_forward, _backward)


def conv_transpose(x: Any, weight: Any, bias: Any = None, *operands: Any,
                   stride: _layers.PerDimension = 1,
                   padding: _layers.Padding = 0,
                   output_padding: _layers.PerDimension = 0,
                   dilation: _layers.PerDimension = 1, groups: int = 1,
                   layout: str = "channels_first", precision: str = "tf32",
                   epilogue: str | Sequence[str] = ()) -> Any:
    """Transposed convolution of jax arrays; works under jit, vmap and grad.

    x: (N, Cin, spatial...), or (N, spatial..., Cin) with
        layout="channels_last"; float32, float16 or bfloat16.
    weight: (Cin, Cout/groups, kernel...) of the same type; bias: (Cout,).
    operands: extra operands of the epilogue, in the order of its steps.
    The rest is as for `ctc.compile`. With an epilogue there are no gradients.

    A layer is compiled when it is first traced, for the GPU that JAX computes
    on by default or for the PTX machine.

    Raises `ValueError` and `TypeError` for what is not legal, `ctc.CompileError`
    for a layer that does not compile.
    """
    x, weight = jnp.asarray(x), jnp.asarray(weight)
    if weight.dtype != x.dtype:
        raise TypeError(f"weight has dtype {weight.dtype}, must have the "
                        f"input's, {x.dtype}")
    layer = _layers.layer(
        input=x.shape, weight=weight.shape, dtype=x.dtype,
        bias=bias is not None, stride=stride, dilation=dilation,
        padding=padding, output_padding=output_padding, groups=groups,
        layout=layout, precision=precision)
    bias = None if bias is None else jnp.asarray(bias, x.dtype)
    steps = tuple(_compile.steps_of(epilogue))
    if steps:
        return _call(layer, steps, x, weight, bias,
                     tuple(jnp.asarray(one, x.dtype) for one in operands))
    if operands:
        raise TypeError(f"the layer takes no operands, got {len(operands)}; "
                        "the epilogue's steps read them")
    return _plain(layer, x, weight, bias)
