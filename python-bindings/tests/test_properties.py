#===- test_properties.py - What holds for every layer ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Property tests over the attribute space.

Inputs are small integers, so that every sum is exact in float32 and equality
is of bits.
"""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import ctc
import reference

SETTINGS = settings(max_examples=20, deadline=None, derandomize=True)


@st.composite
def layers(draw, groups=True):
    """Shapes and attributes of a small legal layer with a non-empty output."""
    rank = draw(st.integers(1, 3))
    top = {1: 9, 2: 5, 3: 3}[rank]

    def each(low, high):
        return [draw(st.integers(low, high)) for _ in range(rank)]

    group = draw(st.integers(1, 3)) if groups else 1
    layer = {"spatial": each(1, top), "kernel": each(1, 4),
             "stride": each(1, 4), "dilation": each(1, 3),
             "output_padding": each(0, 2), "groups": group,
             "cin": group * draw(st.integers(1, 3)),
             "cout": group * draw(st.integers(1, 3)),
             "batch": draw(st.integers(1, 2)), "padding": []}
    for d in range(rank):
        full = ((layer["spatial"][d] - 1) * layer["stride"][d]
                + layer["dilation"][d] * (layer["kernel"][d] - 1) + 1
                + layer["output_padding"][d])
        low = draw(st.integers(-1, min(2, full - 1)))
        high = draw(st.integers(-1, max(-1, min(2, full - 1 - low))))
        layer["padding"].append((low, high))
    return layer


def attributes(layer):
    return {name: layer[name] for name in ("stride", "dilation", "padding",
                                           "output_padding", "groups")}


def shapes(layer):
    x = (layer["batch"], layer["cin"], *layer["spatial"])
    w = (layer["cin"], layer["cout"] // layer["groups"], *layer["kernel"])
    return x, w


def integers(seed, shape):
    return np.random.default_rng(seed).integers(-3, 4, shape).astype(np.float32)


def prepared(layer, w, batch=None):
    x, _ = shapes(layer)
    bundle = ctc.compile(input=(batch, *x[1:]), weight=w.shape,
                         precision="ieee", chips="sm_80", cache=False,
                         **attributes(layer))
    return bundle.prepare(w)


@SETTINGS
@given(layers(), st.integers(0, 99))
def test_definition(layer, seed):
    x, w = (integers(seed + i, shape) for i, shape in enumerate(shapes(layer)))
    np.testing.assert_array_equal(
        prepared(layer, w, layer["batch"])(x),
        reference.conv_transpose(x, w, **attributes(layer)))


@SETTINGS
@given(layers(), st.integers(0, 99))
def test_adjoint(layer, seed):
    """<conv_transpose(x), y> = <x, conv(y)>: the transposed convolution is the
    adjoint of the convolution with the same weight, written here by gathers."""
    x, w = (integers(seed + i, shape) for i, shape in enumerate(shapes(layer)))
    result = prepared(layer, w)(x)
    y = integers(seed + 2, result.shape)
    assert np.vdot(result.astype(np.float64), y) == np.vdot(
        x.astype(np.float64), convolution(y, w, x.shape, layer))


def convolution(y, w, shape, layer):
    """x[i] = sum over k of y[i*stride - low + k*dilation] * w[k]."""
    groups, per_group = layer["groups"], w.shape[1]
    x = np.zeros(shape)
    for index in np.ndindex(*shape[2:]):
        for tap in np.ndindex(*w.shape[2:]):
            at = [index[d] * layer["stride"][d] - layer["padding"][d][0]
                  + tap[d] * layer["dilation"][d] for d in range(len(index))]
            if not all(0 <= a < size for a, size in zip(at, y.shape[2:])):
                continue
            for channel in range(shape[1]):
                group = channel * groups // shape[1]
                rows = slice(group * per_group, (group + 1) * per_group)
                x[(slice(None), channel, *index)] += (
                    y[(slice(None), rows, *at)].astype(np.float64)
                    @ w[(channel, slice(None), *tap)])
    return x


@SETTINGS
@given(layers(), st.integers(0, 99))
def test_linearity(layer, seed):
    x_shape, w_shape = shapes(layer)
    w = integers(seed, w_shape)
    layer_of_w = prepared(layer, w)
    a, b = integers(seed + 1, x_shape), integers(seed + 2, x_shape)
    np.testing.assert_array_equal(
        layer_of_w(2 * a - 3 * b), 2 * layer_of_w(a) - 3 * layer_of_w(b))


@SETTINGS
@given(layers(), st.integers(0, 99))
def test_batch_split(layer, seed):
    """Samples do not know of each other; one bundle serves every batch."""
    x_shape, w_shape = shapes(layer)
    layer_of_w = prepared(layer, integers(seed, w_shape))
    x = integers(seed + 1, (3, *x_shape[1:]))
    np.testing.assert_array_equal(
        layer_of_w(x), np.concatenate([layer_of_w(x[:1]), layer_of_w(x[1:])]))


@SETTINGS
@given(layers(), st.integers(0, 99))
def test_groups_are_block_diagonal(layer, seed):
    """Groups equal one group whose weight is zero between groups."""
    x, w = (integers(seed + i, shape) for i, shape in enumerate(shapes(layer)))
    groups, cin, cout = layer["groups"], layer["cin"], layer["cout"]
    dense = np.zeros((cin, cout, *layer["kernel"]), np.float32)
    for g in range(groups):
        rows = slice(g * cin // groups, (g + 1) * cin // groups)
        dense[rows, g * cout // groups:(g + 1) * cout // groups] = w[rows]
    np.testing.assert_array_equal(
        prepared(layer, w)(x), prepared({**layer, "groups": 1}, dense)(x))


def test_strategy_reaches_what_matters():
    """The property tests see every rank, groups, dilation and cropping."""
    seen = set()

    @settings(max_examples=100, deadline=None, derandomize=True)
    @given(layers())
    def look(layer):
        rank = len(layer["spatial"])
        seen.add(f"rank {rank}")
        seen.update(name for name, there in {
            "groups": layer["groups"] > 1,
            "gcd": math.gcd(layer["stride"][0], layer["dilation"][0]) > 1,
            "dilation": max(layer["dilation"]) > 1,
            "negative": min(min(p) for p in layer["padding"]) < 0,
            "cropped": max(max(p) for p in layer["padding"]) > 0,
            "output padding": max(layer["output_padding"]) > 0}.items()
            if there)

    look()
    assert seen == {"rank 1", "rank 2", "rank 3", "groups", "gcd", "dilation",
                    "negative", "cropped", "output padding"}
