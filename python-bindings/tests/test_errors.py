#===- test_errors.py - What is refused, and in which words -----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Bad input on the cpu device: an exception that names the value and what is
legal, never a crash, never a silent copy."""

import re

import numpy as np
import pytest

import ctc

SHAPE, WEIGHT, OUTPUT = (2, 4, 5, 6), (4, 3, 2, 2), (2, 3, 10, 12)


@pytest.fixture(scope="module")
def bundle(cache):
    return ctc.compile(input=(None, *SHAPE[1:]), weight=WEIGHT, stride=2,
                       bias=True, chips="sm_80")


@pytest.fixture(scope="module")
def layer(bundle):
    return bundle.prepare(zeros(WEIGHT), zeros(3))


def zeros(*shape, dtype=np.float32):
    return np.zeros(*shape, dtype)


def refuses(error, message, function, *arguments, **options):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        function(*arguments, **options)


# -- Calls -------------------------------------------------------------------

def test_shape(layer):
    refuses(ValueError, "input has shape (2, 4, 5, 7), must be (N, 4, 5, 6)",
            layer, zeros((2, 4, 5, 7)))
    refuses(ValueError, "input has shape (4, 5, 6), must be (N, 4, 5, 6)",
            layer, zeros((4, 5, 6)))
    refuses(ValueError, "output has shape (1, 3, 10, 12), must be "
            "(2, 3, 10, 12)", layer, zeros(SHAPE), out=zeros((1, 3, 10, 12)))
    refuses(ValueError, "input has 9 dimensions, must have 1 to 5", layer,
            zeros((1,) * 9))


def test_dtype(layer):
    refuses(TypeError, "input has dtype float64, must be float32", layer,
            zeros(SHAPE, dtype=np.float64))
    refuses(TypeError, "input has dtype int32, must be float32", layer,
            zeros(SHAPE, dtype=np.int32))
    refuses(TypeError, "input has dtype >f4 (>f4), must be float32, float16 "
            "or bfloat16 in the machine's byte order", layer,
            zeros(SHAPE, dtype=">f4"))
    refuses(TypeError, "output has dtype float16, must be float32", layer,
            zeros(SHAPE), out=zeros(OUTPUT, dtype=np.float16))


def test_no_array(layer):
    refuses(TypeError, "input is a list, must be an array", layer, [1, 2])
    refuses(TypeError, "input is a NoneType, must be an array", layer, None)
    refuses(TypeError, "out is a str, must be an array", layer, zeros(SHAPE),
            out="y")
    refuses(TypeError, "entry 'layer' takes the input and 0 operands, got 1",
            layer, zeros(SHAPE), zeros(3))


def test_arguments_of_a_call(layer):
    refuses(TypeError, "input is missing", layer)
    refuses(TypeError, "input is given twice", layer, zeros(SHAPE),
            input=zeros(SHAPE))
    refuses(TypeError, "no argument 'output', legal are input, out, stream "
            "and copy", layer, zeros(SHAPE), output=None)
    refuses(TypeError, "copy is 1, must be True or False", layer, zeros(SHAPE),
            copy=1)
    refuses(TypeError, "cannot create 'ctc._runtime.PreparedLayer' instances",
            type(layer))
    named, out = {"input": zeros(SHAPE)}, zeros(OUTPUT)
    assert layer(**named).shape == layer.__call__(zeros(SHAPE)).shape == OUTPUT
    # Names that were put together, which Python does not intern.
    assert layer(**named, **{"".join(["o", "ut"]): out}) is out


def test_strides(layer):
    wide = zeros((2, 4, 5, 12))[..., ::2]
    message = ("input has strides (240, 60, 12, 2) for shape (2, 4, 5, 6), "
               "must be (120, 30, 6, 1); copy=True copies it")
    refuses(ValueError, message, layer, wide)
    assert layer(wide, copy=True).shape == OUTPUT
    turned = zeros((2, 3, 12, 10)).swapaxes(2, 3)
    refuses(ValueError, "out has strides (360, 120, 1, 10)", layer,
            zeros(SHAPE), out=turned, copy=True)


def test_copy_when_asked_gives_the_same(bundle):
    rng = np.random.default_rng(1)
    layer = bundle.prepare(rng.standard_normal(WEIGHT, np.float32), zeros(3))
    x = rng.standard_normal((2, 4, 6, 5), np.float32).swapaxes(2, 3)
    np.testing.assert_array_equal(layer(x, copy=True),
                                  layer(np.ascontiguousarray(x)))


def test_strides_of_size_one_dimensions_do_not_matter(layer):
    x = np.lib.stride_tricks.as_strided(zeros(SHAPE), (1, *SHAPE[1:]),
                                        (7, 480, 24, 4)[:1] + (120, 24, 4))
    assert layer(x).shape == (1, *OUTPUT[1:])


def test_output(layer):
    frozen = zeros(OUTPUT)
    frozen.flags.writeable = False
    refuses(ValueError, "out is read-only, must be writable", layer,
            zeros(SHAPE), out=frozen)
    out = zeros(OUTPUT)
    assert layer(zeros(SHAPE), out=out) is out


def test_output_over_the_input(layer):
    memory = zeros(2000)
    x = memory[:240].reshape(SHAPE)
    y = memory[100:820].reshape(OUTPUT)
    refuses(ValueError, "out shares memory with input, must be memory of its "
            "own for output", layer, x, out=y)


def test_read_only_inputs_are_fine(layer):
    x = zeros(SHAPE)
    x.flags.writeable = False
    assert layer(x).shape == OUTPUT


def test_empty_batch(layer):
    assert layer(zeros((0, *SHAPE[1:]))).shape == (0, *OUTPUT[1:])


# -- Preparation -------------------------------------------------------------

def test_weight_and_bias(bundle):
    refuses(ValueError, "bias is missing, the entry 'layer' adds one",
            bundle.prepare, zeros(WEIGHT))
    refuses(ValueError, "weight has shape (4, 3, 2, 3), must be (4, 3, 2, 2)",
            bundle.prepare, zeros((4, 3, 2, 3)), zeros(3))
    refuses(ValueError, "bias has shape (4,), must be (3,)", bundle.prepare,
            zeros(WEIGHT), zeros(4))
    refuses(TypeError, "weight has dtype float16, must be float32",
            bundle.prepare, zeros(WEIGHT, dtype=np.float16), zeros(3))
    refuses(ValueError, "packed is given, the cpu device keeps its own",
            bundle.prepare, zeros(WEIGHT), zeros(3), packed=zeros(999))
    plain = ctc.compile(input=SHAPE, weight=WEIGHT, stride=2, chips="sm_80")
    refuses(ValueError, "bias is given, the entry 'layer' adds none",
            plain.prepare, zeros(WEIGHT), zeros(3))
    refuses(ValueError, "weight is missing", plain.prepare, None,
            device="cpu")
    refuses(ValueError, "device is not given and there is no weight",
            plain.prepare, None)


def test_bias_is_read_at_every_call(bundle):
    bias = zeros(3)
    layer = bundle.prepare(zeros(WEIGHT), bias)
    assert not layer(zeros(SHAPE)).any()
    bias[:] = (1, 2, 3)
    np.testing.assert_array_equal(layer(zeros(SHAPE))[1, :, 4, 5], (1, 2, 3))


def test_devices(bundle):
    refuses(ValueError, "unknown device 'gpu', known are cuda, cuda:ORDINAL, "
            "cpu and auto", bundle.prepare, zeros(WEIGHT), zeros(3),
            device="gpu")
    refuses(ctc.NoImageError, "no image for 'sm_90a' in the bundle, which has "
            "sm_80", bundle.prepare, zeros(WEIGHT), zeros(3), chip="sm_90a")
    assert issubclass(ctc.NoImageError, ctc.DeviceError)


def test_no_gpu(bundle):
    if ctc.device().device != "cpu":
        pytest.skip("there is a GPU")
    refuses(ctc.NoDeviceError, "no", bundle.prepare, zeros(WEIGHT), zeros(3),
            device="cuda")
    refuses(ctc.NoDeviceError, "no", ctc.device, "cuda:3")
    assert "took cpu" in ctc.device().reason


# -- Bundles -----------------------------------------------------------------

def test_closed(bundle):
    own = ctc.Bundle(bundle.to_bytes())
    layer = own.prepare(zeros(WEIGHT), zeros(3))
    with own:
        assert own.chips == ["sm_80"]
    assert own.closed and repr(own) == "<ctc.Bundle, closed>"
    for use in (own.entry, own.to_bytes, lambda: own.chips,
                lambda: own.entries, lambda: own.producer,
                lambda: own.prepare(zeros(WEIGHT), zeros(3))):
        refuses(ValueError, "the bundle is closed", use)
    own.close()
    assert layer(zeros(SHAPE)).shape == OUTPUT


def test_garbage(bundle, tmp_path):
    refuses(ctc.BundleError, "not a ctc bundle", ctc.Bundle, b"garbage" * 9)
    refuses(ctc.BundleError, "", ctc.Bundle, b"")
    refuses(TypeError, "data is a str, must be bytes; ctc.load takes a path",
            ctc.Bundle, "layer.ctcb")
    data = bytearray(bundle.to_bytes())
    data[len(data) // 2] ^= 1
    path = tmp_path / "altered.ctcb"
    path.write_bytes(data)
    refuses(ctc.BundleError, f"{path}: ", ctc.load, path)
    refuses(ctc.BundleError, "", ctc.Bundle, bundle.to_bytes()[:-1])
    with pytest.raises(FileNotFoundError):
        ctc.load(tmp_path / "none.ctcb")


def test_save_and_load(bundle, tmp_path):
    path = tmp_path / "layer.ctcb"
    bundle.save(path)
    again = ctc.load(str(path))
    assert again.entry() == bundle.entry()
    assert again.to_bytes() == bundle.to_bytes()
    assert [one.name for one in tmp_path.iterdir()] == ["layer.ctcb"]


def test_entries(bundle):
    refuses(ValueError, "no entry 'other'", bundle.entry, "other")
    entry = bundle.entry()
    assert entry.name == "layer" and entry.batch is None
    assert entry.input.shape == (None, 4, 5, 6)
    assert entry.output == ctc.Argument("output", "output", "float32",
                                        (None, 3, 10, 12))


# -- compile -----------------------------------------------------------------

@pytest.mark.parametrize("options, error, message", [
    ({}, ValueError, "there is nothing to compile"),
    ({"input": (1, 2), "weight": (2, 1)}, ValueError,
     "input has 2 sizes, must have 3 to 5"),
    ({"input": 7, "weight": (2, 1)}, TypeError, "input is 7, must be a shape"),
    ({"input": (1, 2, 3), "weight": (2, 1, 1, 1)}, ValueError,
     "weight has 4 sizes, must have 3 as input has"),
    ({"input": (1, 2, 3), "weight": (3, 1, 1)}, ValueError,
     "weight has 3 input channels, must have input's 2"),
    ({"input": (1, 2, 3.5), "weight": (2, 1, 1)}, TypeError,
     "a size of input is 3.5, must be an integer"),
    ({"input": (1, 2, -3), "weight": (2, 1, 1)}, ValueError,
     "input has a size of -3, must be at least 0"),
    ({"dtype": "float64"}, ValueError,
     "dtype is 'float64', must be float32, float16 or bfloat16"),
    ({"dtype": np.int8}, ValueError, "dtype is 'int8', must be"),
    ({"layout": "nhwc"}, ValueError,
     "layout is 'nhwc', must be one of channels_first, channels_last"),
    ({"precision": "fast"}, ValueError,
     "precision is 'fast', must be one of tf32, tf32x3, ieee"),
    ({"stride": (1, 2)}, ValueError,
     "stride has 2 values, must have 1 or 1, one per spatial dimension"),
    ({"stride": True}, TypeError, "stride is True, must be an integer"),
    ({"stride": 2**63}, ValueError, f"stride is {2**63}, must fit in 64 bits"),
    ({"padding": [(1, 2, 3)]}, ValueError,
     "padding has the element (1, 2, 3), must be an integer or a pair"),
    ({"chips": "sm_70"}, ValueError, "chips has 'sm_70', must be of sm_80"),
    ({"chips": ["sm_80", "sm_80"]}, ValueError, "chips names 'sm_80' twice"),
    ({"chips": []}, ValueError, "chips is empty, must name at least one of"),
    ({"stride": 0}, ctc.CompileError,
     "spatial dimension 0: stride is 0, must be at least 1"),
    ({"groups": 3}, ctc.CompileError,
     "input channels are 2, must be a multiple of groups 3"),
    ({"padding": 99}, ctc.CompileError,
     "spatial dimension 0: output size is -194, must be at least 0"),
    ({"epilogue": "swirl"}, ctc.CompileError,
     "epilogue step is 'swirl', must be one of relu"),
    ({"family": "none"}, ctc.CompileError, ""),
    ({"tuning_table": 3}, TypeError,
     "tuning_table is 3, must be True, False or the path of a file"),
    ({"tuning_table": ""}, ValueError,
     "tuning_table is '', must be True, False or the path of a file"),
    ({"tuning_table": "/none.json"}, FileNotFoundError, ""),
])
def test_compile(options, error, message):
    shapes = {} if not options else {"input": (1, 2, 3), "weight": (2, 2, 2)}
    refuses(error, message, ctc.compile, **{**shapes, **options})


def test_a_tuning_table_that_is_none(tmp_path):
    path = tmp_path / "own.json"
    for text, chips, message in (
            ('{"format": 2}', "sm_80", "'format' is 2, must be 1"),
            ('{"format": 1, "chip": "sm_90a", "entries": []}', "sm_80",
             "'chip' is \"sm_90a\", must be compiled for: sm_80")):
        path.write_text(text)
        refuses(ctc.CompileError, f"{path}: {message}", ctc.compile,
                input=(1, 2, 3), weight=(2, 2, 2), chips=chips,
                tuning_table=path)
        refuses(ctc.CompileError, f"{path}: {message}", ctc.compile,
                "module {}", chips=chips, tuning_table=path)


def test_compile_mlir(tmp_path):
    refuses(ctc.CompileError, "<mlir>:1:7: ", ctc.compile, "module {",
            chips="sm_80")
    path = tmp_path / "bad.mlir"
    path.write_text("func.func @f() { return 1 }")
    refuses(ctc.CompileError, f"{path}:1:", ctc.compile, path, chips="sm_80")
    refuses(ValueError, "mlir and a shape are given, must be one of them",
            ctc.compile, "module {}", input=(1, 2, 3))
    with pytest.raises(FileNotFoundError):
        ctc.compile(tmp_path / "none.mlir")


def test_no_compiler_here(monkeypatch, tmp_path):
    """What a wheel without ctc._compiler says; the cache still serves."""
    import sys

    layer = {"input": (1, 2, 3), "weight": (2, 2, 2), "chips": "sm_80"}
    monkeypatch.setenv("CTC_CACHE_DIR", str(tmp_path))
    ctc.compile(**layer)
    monkeypatch.setitem(sys.modules, "ctc._compiler", None)
    monkeypatch.delattr(ctc, "_compiler", raising=False)
    assert not ctc.has_compiler()
    assert ctc.compile(**layer).chips == ["sm_80"]
    refuses(ctc.CompilerMissingError, "this installation of ctc has no "
            f"compiler, and the cache in {tmp_path} does not have the bundle",
            ctc.compile, **layer, stride=2)
