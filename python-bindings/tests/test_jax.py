#===- test_jax.py - JAX on the host ----------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""ctc.jax: a custom call of XLA's CPU backend, under jit, grad and vmap."""

import functools

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="no JAX here")

import ctc
import ctc.jax as cjax
import jax.numpy as jnp
import reference

ATTRIBUTES = {"stride": (2, 1), "padding": ((1, 0), (0, 1)),
              "output_padding": (1, 0), "dilation": (1, 2), "groups": 2}


@pytest.fixture
def arrays(rng):
    return (rng.integers(-3, 4, (2, 4, 5, 6)).astype(np.float32),
            rng.integers(-3, 4, (4, 3, 3, 2)).astype(np.float32),
            rng.integers(-3, 4, 6).astype(np.float32))


def test_eager_and_jit(arrays):
    function = functools.partial(cjax.conv_transpose, **ATTRIBUTES)
    expected = reference.conv_transpose(*arrays, **ATTRIBUTES)
    for call in (function, jax.jit(function)):
        y = call(*map(jnp.asarray, arrays))
        assert isinstance(y, jax.Array)
        np.testing.assert_array_equal(y, expected)


def test_is_a_custom_call(arrays):
    text = jax.jit(functools.partial(cjax.conv_transpose, stride=2)).lower(
        *arrays[:1], np.zeros((4, 3, 3, 2), np.float32)).as_text()
    assert "@ctc_pack" in text and "@ctc_launch" in text


def test_inside_a_larger_program(arrays):
    x, w, b = arrays

    @jax.jit
    def program(x, w, b):
        y = cjax.conv_transpose(x * 2, w + 1, b, **ATTRIBUTES)
        return jnp.maximum(y, 0).sum(axis=(2, 3))

    expected = reference.conv_transpose(x * 2, w + 1, b, **ATTRIBUTES)
    np.testing.assert_array_equal(program(x, w, b),
                                  np.maximum(expected, 0).sum(axis=(2, 3)))


def test_changed_weights_are_packed_again(arrays):
    x, w, _ = arrays
    call = jax.jit(functools.partial(cjax.conv_transpose, **ATTRIBUTES))
    np.testing.assert_array_equal(2 * call(x, w), call(x, 2 * w))


@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_gradients_are_those_of_lax(arrays, layout):
    """The layer's own value, and the gradients of the same in jax.lax."""
    x, w, b = arrays
    if layout == "channels_last":
        x = x.transpose(0, 2, 3, 1)
    call = functools.partial(cjax.conv_transpose, layout=layout, **ATTRIBUTES)
    y = call(x, w, b)
    seed = (np.arange(y.size).reshape(y.shape) % 5 - 2).astype(np.float32)
    layer = ctc._layers.layer(input=x.shape, weight=w.shape, dtype="f32",
                              bias=True, layout=layout, precision="tf32",
                              **ATTRIBUTES)
    np.testing.assert_array_equal(y, cjax._by_lax(layer, x, w, b))
    got = jax.grad(lambda *a: (call(*a) * seed).sum(), (0, 1, 2))(x, w, b)
    expected = jax.grad(lambda *a: (cjax._by_lax(layer, *a) * seed).sum(),
                        (0, 1, 2))(x, w, b)
    for one, other in zip(got, expected):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_vmap(arrays):
    x, w, _ = arrays
    call = functools.partial(cjax.conv_transpose, **ATTRIBUTES)
    stacked = jnp.stack([x, 2 * x, x - 1])
    np.testing.assert_array_equal(jax.vmap(call, (0, None))(stacked, w),
                                  jnp.stack([call(one, w) for one in stacked]))


def test_half_precisions(arrays):
    x, w, _ = arrays
    for dtype in (jnp.float16, jnp.bfloat16):
        y = cjax.conv_transpose(jnp.asarray(x, dtype), jnp.asarray(w, dtype),
                                **ATTRIBUTES)
        assert y.dtype == dtype
        expected = jnp.asarray(reference.conv_transpose(x, w, **ATTRIBUTES))
        np.testing.assert_array_equal(y, expected.astype(dtype))


def test_epilogue(arrays):
    x, w, b = arrays
    plain = cjax.conv_transpose(x, w, b, **ATTRIBUTES)
    scale = np.arange(6, dtype=np.float32) - 2
    y = cjax.conv_transpose(x, w, b, scale, epilogue="mul_channel,relu",
                            **ATTRIBUTES)
    np.testing.assert_array_equal(
        y, np.maximum(plain * scale.reshape(1, 6, 1, 1), 0))


def test_bad_input(arrays):
    x, w, _ = arrays
    with pytest.raises(TypeError, match="weight has dtype float16, must have "
                                        "the input's, float32"):
        cjax.conv_transpose(x, w.astype(np.float16))
    with pytest.raises(ValueError, match="weight has 4 input channels, must "
                                         "have input's 5"):
        cjax.conv_transpose(x.transpose(0, 2, 1, 3), w)
    with pytest.raises(TypeError, match="epilogue is 3, must be a string or a "
                                        "sequence of strings, a step each"):
        cjax.conv_transpose(x, w, epilogue=3)
    with pytest.raises(ctc.CompileError, match="stride is 0"):
        jax.jit(functools.partial(cjax.conv_transpose, stride=0))(x, w)
    with pytest.raises(TypeError, match="the layer takes no operands, got 1"):
        cjax.conv_transpose(x, w, None, w)
    with pytest.raises(Exception, match="ctc: scale|buffer 2 is missing"):
        jax.block_until_ready(cjax.conv_transpose(
            x, w, stride=2, epilogue="mul_channel"))


def test_jax_arrays_in_the_plain_api(arrays):
    x, w, _ = arrays
    bundle = ctc.compile(input=x.shape, weight=w.shape, chips="sm_80")
    layer = bundle.prepare(jnp.asarray(w))
    with pytest.raises(TypeError, match="a jax array cannot be written to"):
        layer(jnp.asarray(x))
    out = layer(x)
    again = np.zeros_like(out)
    layer(jnp.asarray(x), out=again)
    np.testing.assert_array_equal(again, out)
