#===- test_arrays.py - Arrays of other frameworks --------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""DLPack in its two forms, protocols of our own making, and threads."""

import threading

import numpy as np
import pytest

import ctc

SHAPE, WEIGHT = (2, 4, 5, 6), (4, 3, 2, 2)


@pytest.fixture(scope="module")
def bundle(cache):
    return ctc.compile(input=(None, *SHAPE[1:]), weight=WEIGHT, stride=2,
                       chips="sm_80")


class Old:
    """DLPack before version 1: no max_version, no read-only flag."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()

    def __dlpack__(self, stream=None):
        return self.array.__dlpack__(stream=stream)


class New(Old):
    def __dlpack__(self, *, stream=None, max_version=None, **options):
        return self.array.__dlpack__(stream=stream, max_version=max_version)


class Elsewhere(Old):
    """An array on a device ctc does not know."""

    def __dlpack_device__(self):
        return (8, 0)


class Liar(Old):
    def __dlpack__(self, stream=None):
        return "no capsule"


@pytest.mark.parametrize("kind", [Old, New])
def test_dlpack(bundle, kind, rng):
    x = rng.standard_normal(SHAPE, np.float32)
    w = rng.standard_normal(WEIGHT, np.float32)
    expected = bundle.prepare(w)(x)
    layer = bundle.prepare(kind(w))
    out = np.empty_like(expected)
    layer(kind(x), out=kind(out))
    np.testing.assert_array_equal(out, expected)
    with pytest.raises(TypeError, match="^ctc cannot make a (Old|New); give "
                                        "out="):
        layer(kind(x))


def test_read_only_dlpack(bundle):
    out = np.zeros((2, 3, 10, 12), np.float32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out is read-only, must be writable"):
        bundle.prepare(np.zeros(WEIGHT, np.float32))(
            np.zeros(SHAPE, np.float32), out=New(out))


def test_dlpack_without_a_capsule(bundle):
    with pytest.raises(TypeError, match="weight: __dlpack__ gave no DLPack"):
        bundle.prepare(Liar(np.zeros(WEIGHT, np.float32)))


def test_references_are_given_back(bundle):
    """Nothing of a call outlives it."""
    import gc
    import weakref

    class Tracked(np.ndarray):
        pass

    layer = bundle.prepare(np.zeros(WEIGHT, np.float32))
    x = np.zeros(SHAPE, np.float32).view(Tracked)
    y = layer(x)
    alive = weakref.ref(x)
    del x, y
    gc.collect()
    assert alive() is None


def test_threads(bundle, rng):
    """Threads share a bundle and a layer, and each gets its own results."""
    weights = [rng.standard_normal(WEIGHT, np.float32) for _ in range(4)]
    inputs = [rng.standard_normal(SHAPE, np.float32) for _ in range(4)]
    shared = bundle.prepare(weights[0])
    expected = [(shared(x), bundle.prepare(w)(x))
                for w, x in zip(weights, inputs)]
    wrong = []

    def work(number):
        own = bundle.prepare(weights[number])
        for _ in range(10):
            got = shared(inputs[number]), own(inputs[number])
            if not all(map(np.array_equal, got, expected[number])):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
