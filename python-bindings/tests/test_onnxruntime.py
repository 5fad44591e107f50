#===- test_onnxruntime.py - Layers against onnxruntime ---------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The cpu device against onnxruntime's ConvTranspose and NumPy."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

import ctc
import reference

# name: (input, weight, attributes)
CASES = {
    "1d": ((2, 3, 9), (3, 4, 4), {"stride": [2], "padding": [(1, 1)]}),
    "1d-asymmetric": ((1, 3, 9), (3, 2, 5), {"stride": [3],
                                             "padding": [(0, 2)]}),
    "1d-upsampler": ((1, 8, 12), (8, 4, 16), {"stride": [8],
                                              "padding": [(4, 4)]}),
    "2d-stride2": ((2, 4, 5, 6), (4, 3, 2, 2), {"stride": [2, 2]}),
    "2d-dcgan": ((1, 6, 4, 4), (6, 5, 4, 4), {"stride": [2, 2],
                                              "padding": [(1, 1), (1, 1)]}),
    "2d-groups": ((1, 6, 5, 4), (6, 2, 3, 3), {"stride": [2, 1],
                                               "groups": 3}),
    "2d-depthwise": ((1, 5, 6, 6), (5, 1, 3, 3), {"stride": [2, 2],
                                                  "groups": 5}),
    "2d-dilation": ((1, 3, 5, 6), (3, 4, 3, 2), {"stride": [2, 3],
                                                 "dilation": [2, 4]}),
    "2d-output-padding": ((1, 3, 4, 4), (3, 2, 3, 3), {
        "stride": [3, 2], "padding": [(1, 1), (1, 1)],
        "output_padding": [2, 1]}),
    "3d": ((1, 2, 3, 4, 3), (2, 3, 2, 3, 2), {"stride": [2, 1, 2]}),
    "3d-groups-dilation": ((1, 4, 3, 3, 4), (4, 2, 2, 2, 3), {
        "stride": [1, 2, 2], "dilation": [2, 1, 2], "groups": 2,
        "padding": [(1, 0), (0, 1), (1, 1)]}),
}


def complete(attributes, rank):
    return {"stride": [1] * rank, "dilation": [1] * rank,
            "padding": [(0, 0)] * rank, "output_padding": [0] * rank,
            "groups": 1, **attributes}


def by_onnxruntime(x, w, bias, attributes):
    names = ["x", "w", "b"]
    lows, highs = zip(*attributes["padding"])
    node = helper.make_node(
        "ConvTranspose", names, ["y"], strides=attributes["stride"],
        dilations=attributes["dilation"], pads=[*lows, *highs],
        output_padding=attributes["output_padding"],
        group=attributes["groups"])
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
         for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, ir_version=8,
                              opset_imports=[helper.make_opsetid("", 13)])
    session = onnxruntime.InferenceSession(model.SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x, "w": w, "b": bias})[0]


@pytest.mark.parametrize("name", CASES)
def test_case(name, rng):
    """Small integers make every sum exact: all three agree bit for bit."""
    shape, weight, given = CASES[name]
    attributes = complete(given, len(shape) - 2)
    x = rng.integers(-4, 5, shape).astype(np.float32)
    w = rng.integers(-4, 5, weight).astype(np.float32)
    b = rng.integers(-4, 5, weight[1] * attributes["groups"]).astype(np.float32)
    bundle = ctc.compile(input=shape, weight=weight, bias=True,
                         precision="ieee", chips="sm_90a", **attributes)
    y = bundle.prepare(w, b)(x)
    expected = by_onnxruntime(x, w, b, attributes)
    assert y.dtype == np.float32 and y.shape == expected.shape
    assert np.count_nonzero(y) > y.size / 2
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(
        y, reference.conv_transpose(x, w, b, **attributes))


def test_random_values_are_within_rounding(rng):
    shape, weight = (1, 16, 6, 6), (16, 8, 4, 4)
    attributes = complete({"stride": [2, 2], "padding": [(1, 1)] * 2}, 2)
    x = rng.standard_normal(shape, np.float32)
    w = rng.standard_normal(weight, np.float32)
    bundle = ctc.compile(input=shape, weight=weight, precision="ieee",
                         chips="sm_80", **attributes)
    y = bundle.prepare(w)(x)
    exact = reference.conv_transpose(x, w, **attributes)
    size = reference.conv_transpose(abs(x), abs(w), **attributes)
    products = 16 * 4  # Input channels times the taps that meet at an output.
    assert np.all(abs(y - exact) <= (products + 3) * 2.0**-24 * size)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precisions(dtype, rng):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    kind = np.float16 if dtype == "float16" else ml_dtypes.bfloat16
    x = rng.integers(-2, 3, (1, 4, 5, 5)).astype(kind)
    w = rng.integers(-2, 3, (4, 4, 3, 3)).astype(kind)
    bundle = ctc.compile(input=x.shape, weight=w.shape, dtype=dtype, stride=2,
                         chips="sm_80")
    y = bundle.prepare(w)(x)
    assert y.dtype == kind
    expected = reference.conv_transpose(
        x.astype(np.float32), w.astype(np.float32),
        **complete({"stride": [2, 2]}, 2))
    np.testing.assert_array_equal(y.astype(np.float64), expected)


def test_channels_last(rng):
    x = rng.integers(-4, 5, (2, 5, 6, 4)).astype(np.float32)
    w = rng.integers(-4, 5, (4, 3, 2, 2)).astype(np.float32)
    bundle = ctc.compile(input=x.shape, weight=w.shape, stride=2,
                         layout="channels_last", chips="sm_80")
    assert bundle.entry().output.shape == (2, 10, 12, 3)
    y = bundle.prepare(w)(x)
    expected = reference.conv_transpose(
        x.transpose(0, 3, 1, 2), w, **complete({"stride": [2, 2]}, 2))
    np.testing.assert_array_equal(y, expected.transpose(0, 2, 3, 1))


def test_epilogue_with_operands(rng):
    x = rng.integers(-4, 5, (2, 3, 4, 4)).astype(np.float32)
    w = rng.integers(-4, 5, (3, 2, 2, 2)).astype(np.float32)
    bundle = ctc.compile(input=(None, 3, 4, 4), weight=w.shape, stride=2,
                         epilogue="mul_channel,add_tensor,relu",
                         chips="sm_80")
    entry = bundle.entry()
    assert [one.shape for one in entry.operands] == [(2,), (None, 2, 8, 8)]
    scale = np.array([2, -3], np.float32)
    z = rng.integers(-9, 9, (2, 2, 8, 8)).astype(np.float32)
    y = bundle.prepare(w)(x, scale, z)
    plain = reference.conv_transpose(x, w, **complete({"stride": [2, 2]}, 2))
    np.testing.assert_array_equal(
        y, np.maximum(plain * scale.reshape(1, 2, 1, 1) + z, 0))
