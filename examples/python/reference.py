#===- reference.py - Transposed convolution in NumPy, and how far off one may be ===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The definition as a scatter in float64, written without a look at ctc's own:
every input element adds its multiple of the weight to the output."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Doubles = npt.NDArray[np.float64]


def conv_transpose(x: Array, w: Array, bias: Array | None = None, *,
                   stride: Sequence[int], dilation: Sequence[int],
                   padding: Sequence[tuple[int, int]],
                   output_padding: Sequence[int], groups: int) -> Doubles:
    """x is (N, Cin, spatial), w (Cin, Cout/groups, kernel); `padding` has
    pairs, the others one integer per dimension."""
    rank = x.ndim - 2
    n, cin = x.shape[:2]
    per_group, kernel = w.shape[1], w.shape[2:]
    full = [(x.shape[2 + d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1)
            + 1 for d in range(rank)]
    size = [full[d] - sum(padding[d]) + output_padding[d] for d in range(rank)]
    y = np.zeros((n, groups * per_group, *full))
    x64: Array = x.astype(np.float64)
    w64: Array = w.astype(np.float64)
    for group in range(groups):
        inputs = slice(group * cin // groups, (group + 1) * cin // groups)
        outputs = slice(group * per_group, (group + 1) * per_group)
        for tap in itertools.product(*map(range, kernel)):
            at: tuple[Any, ...] = tuple(slice(
                tap[d] * dilation[d],
                tap[d] * dilation[d] + (x.shape[2 + d] - 1) * stride[d] + 1,
                stride[d]) for d in range(rank))
            of_tap: Any = (inputs, slice(None), *tap)
            y[(slice(None), outputs, *at)] += np.einsum(
                "nc...,co->no...", x64[:, inputs], w64[of_tap], optimize=True)
    # Padding crops the low side and output padding widens the high one; a
    # negative value does the other.
    result = np.zeros((n, groups * per_group, *size))
    source: list[Any] = [...]
    target: list[Any] = [...]
    for d in range(rank):
        low = padding[d][0]
        begin, end = max(low, 0), min(full[d], low + size[d])
        source.append(slice(begin, max(begin, end)))
        target.append(slice(begin - low, max(begin, end) - low))
    result[tuple(target)] = y[tuple(source)]
    if bias is not None:
        result += bias.astype(np.float64).reshape(1, -1, *[1] * rank)
    return result


@dataclass(frozen=True)
class Activation:
    """An elementwise function, its greatest slope, and how many roundings of
    size |x| its evaluation in float32 makes at most (functions of the CUDA
    library count 2 ulps, 4 roundings)."""

    function: Callable[[Doubles], Doubles]
    slope: float
    roundings: int


_erf = np.vectorize(math.erf, otypes=[float])

ACTIVATIONS = {
    "": Activation(lambda x: x, 1, 0),
    "relu": Activation(lambda x: np.maximum(x, 0), 1, 0),
    "leaky_relu:0.1": Activation(lambda x: np.where(x > 0, x, 0.1 * x), 1, 2),
    "tanh": Activation(np.tanh, 1, 4),
    "gelu": Activation(lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2, 1.13,
                       8),
}


def wrong(y: Array, x: Array, w: Array, bias: Array, activation: str = "", *,
          stride: Sequence[int], padding: Sequence[tuple[int, int]]) -> int:
    """How many elements of y, in float32, are further from the definition than
    rounding can take them: (n + 2) * 2^-24 * (sum|x||w| + |b|) before the
    activation, n the products of an output (docs/Numerics.md)."""
    rank = x.ndim - 2

    def of(x: Array, w: Array, bias: Array | None) -> Doubles:
        return conv_transpose(x, w, bias, stride=stride, padding=padding,
                              dilation=[1] * rank, output_padding=[0] * rank,
                              groups=1)

    exact = of(x, w, bias)
    size = of(np.abs(x), np.abs(w), np.abs(bias))
    products = of(np.ones((1, x.shape[1], *x.shape[2:])), np.ones(w.shape),
                  None)
    unit = 2.0**-24
    final = ACTIVATIONS[activation]
    bound = (final.slope * (products + 2) * unit * size
             + (final.roundings + 1) * unit * (np.abs(exact) + unit))
    # Not `>`: a NaN is wrong.
    return int(np.sum(~(np.abs(y - final.function(exact)) <= bound)))
