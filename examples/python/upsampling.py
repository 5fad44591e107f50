#===- upsampling.py - A stack of transposed convolutions -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What the examples share: a layer with its weights, compiled, prepared, called
and checked."""

from __future__ import annotations

from typing import Any

import ctc
import numpy as np
import reference
from backend import Backend, Floats


class UpsamplingLayer:
    """A transposed convolution with bias and a fused activation."""

    def __init__(self, backend: Backend, weight: Floats, bias: Floats, *,
                 stride: int, padding: int = 0, activation: str = "") -> None:
        self.backend, self.weight, self.bias = backend, weight, bias
        self.stride, self.padding = stride, padding
        self.activation = activation
        self.layer: ctc.PreparedLayer | None = None
        self.wrong = self.total = 0

    def bundle(self, shape: tuple[int, ...]) -> ctc.Bundle:
        """The layer for an input of this shape, compiled or from the cache."""
        return ctc.compile(
            input=shape, weight=self.weight.shape, bias=True,
            stride=self.stride, padding=self.padding, precision="ieee",
            epilogue=self.activation, chips=self.backend.chip)

    def __call__(self, x: Any) -> Any:
        """Compiles when it first sees an input, then only launches."""
        if self.layer is None:
            self.layer = self.bundle(tuple(x.shape)).prepare(
                self.backend.array(self.weight), self.backend.array(self.bias))
        y = self.layer(x)
        self._check(self.backend.numpy(x), self.backend.numpy(y))
        return y

    def _check(self, x: Floats, y: Floats) -> None:
        rank = x.ndim - 2
        self.wrong += reference.wrong(
            y, x, self.weight, self.bias, self.activation,
            stride=[self.stride] * rank,
            padding=[(self.padding, self.padding)] * rank)
        self.total += y.size


def random_layer(rng: np.random.Generator, backend: Backend,
                 shape: tuple[int, ...], *, stride: int, padding: int = 0,
                 activation: str = "", scale: Floats | None = None
                 ) -> UpsamplingLayer:
    """A layer of He-initialised weights (Cin, Cout, kernel), its outputs
    multiplied by `scale` per channel, as a folded normalisation does."""
    products = shape[0] * np.prod(shape[2:]) / stride ** (len(shape) - 2)
    weight = rng.standard_normal(shape) * np.sqrt(2 / products)
    if scale is not None:
        weight *= scale.reshape(1, -1, *[1] * (len(shape) - 2))
    bias = rng.standard_normal(shape[1]) * 0.1
    return UpsamplingLayer(backend, weight.astype(np.float32),
                           bias.astype(np.float32), stride=stride,
                           padding=padding, activation=activation)


def summed(layers: list[UpsamplingLayer]) -> tuple[int, int]:
    """Wrong outputs and outputs of all layers."""
    return sum(one.wrong for one in layers), sum(one.total for one in layers)
