#===- reference.py - Transposed convolution in NumPy -----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The definition as a scatter in float64, written without a look at ctc's own:
every input element adds its multiple of the weight to the output."""

import itertools

import numpy as np


def conv_transpose(x, w, bias=None, *, stride, dilation, padding,
                   output_padding, groups):
    """x is (N, Cin, spatial), w (Cin, Cout/groups, kernel); `padding` has
    pairs, the others one integer per dimension."""
    rank = x.ndim - 2
    n, cin = x.shape[:2]
    per_group, kernel = w.shape[1], w.shape[2:]
    full = [(x.shape[2 + d] - 1) * stride[d] + dilation[d] * (kernel[d] - 1)
            + 1 for d in range(rank)]
    size = [full[d] - sum(padding[d]) + output_padding[d] for d in range(rank)]
    y = np.zeros((n, groups * per_group, *full))
    x64, w64 = x.astype(np.float64), w.astype(np.float64)
    for group in range(groups):
        inputs = slice(group * cin // groups, (group + 1) * cin // groups)
        outputs = slice(group * per_group, (group + 1) * per_group)
        for tap in itertools.product(*map(range, kernel)):
            at = tuple(slice(tap[d] * dilation[d],
                             tap[d] * dilation[d]
                             + (x.shape[2 + d] - 1) * stride[d] + 1, stride[d])
                       for d in range(rank))
            y[(slice(None), outputs, *at)] += np.einsum(
                "nc...,co->no...", x64[:, inputs],
                w64[(inputs, slice(None), *tap)])
    # Padding crops the low side and output padding widens the high one; a
    # negative value does the other.
    result = np.zeros((n, groups * per_group, *size))
    source, target = [], []
    for d in range(rank):
        low = padding[d][0]
        begin, end = max(low, 0), min(full[d], low + size[d])
        source.append(slice(begin, max(begin, end)))
        target.append(slice(begin - low, max(begin, end) - low))
    result[(..., *target)] = y[(..., *source)]
    if bias is not None:
        result += bias.astype(np.float64).reshape(1, -1, *[1] * rank)
    return result
