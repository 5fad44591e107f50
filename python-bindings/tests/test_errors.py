#===- test_errors.py - What is refused, and in which words -----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Bad input on the cpu device: an exception that names the value and what is
legal, never a crash, never a silent copy."""

import os
import pathlib
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


@pytest.mark.parametrize("typestr", ["<f0", "<f", "<f300", "", "<V4"])
def test_elements_without_a_width(layer, typestr):
    """As an object of another kind may describe itself."""
    class Odd:
        memory = zeros(SHAPE)
        __array_interface__ = {**memory.__array_interface__,
                               "typestr": typestr, "strides": (480, 120, 24, 4)}

    refuses(TypeError, f"input has dtype {typestr}, must be float32, float16 "
            "or bfloat16", layer, Odd())


@pytest.mark.parametrize("strides", [(), (4,), (0, 480, 120, 24, 4)])
def test_another_number_of_strides(layer, strides):
    class Odd:
        memory = zeros(SHAPE)
        __array_interface__ = {**memory.__array_interface__,
                               "strides": strides}

    refuses(ValueError, f"input has {len(strides)} strides for 4 dimensions, "
            "must have one for each", layer, Odd())


@pytest.mark.parametrize("field", [{"strides": "abcd"}, {"shape": 4},
                                   {"data": (None, False)}, {"typestr": 4}])
def test_fields_of_another_type(layer, field):
    class Odd:
        memory = zeros(SHAPE)
        __array_interface__ = {**memory.__array_interface__, **field}

    refuses(TypeError, "input has a field in its __array_interface__ that is of "
            "another type than NumPy documents", layer, Odd())


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


def test_arguments_of_prepare(bundle):
    """Of another type, in ctc's words and not in nanobind's."""
    for options, legal in (({"entry": 3}, "a string or None"),
                           ({"device": 3}, "a string or None"),
                           ({"chip": 3}, "a string or None"),
                           ({"copy": 3}, "True or False"),
                           ({"wait": 3}, "True or False")):
        [name] = options
        refuses(TypeError, f"{name} is 3, must be {legal}", bundle.prepare,
                zeros(WEIGHT), zeros(3), **options)
    refuses(TypeError, "weight is a list, must be an array", bundle.prepare,
            [1], zeros(3))
    refuses(TypeError, "name is 3, must be a string or None", bundle.entry, 3)
    refuses(TypeError, "device is 3, must be a string", bundle.packed_bytes, 3)
    refuses(TypeError, "chip is 3, must be a string or None",
            bundle.packed_bytes, "cpu", chip=3)
    assert bundle.packed_bytes("cpu", chip="sm_80") > 0


def test_names_of_devices_and_chips(monkeypatch):
    for use in (ctc.device, ctc.chip_of):
        refuses(TypeError, 'device is 3, must be "cuda", "cuda:N", "cpu" or '
                '"auto"', use, 3)
    for name in ("sm_42", "sm_80,sm_90a"):
        monkeypatch.setenv("CTC_CPU_CHIP", name)
        refuses(ValueError, f"CTC_CPU_CHIP is '{name}', must be one of sm_80, "
                "sm_86", ctc.chip_of, "cpu")
    for name, chip in (("sm_90a", "sm_90a"), ("", "sm_80")):
        monkeypatch.setenv("CTC_CPU_CHIP", name)
        assert ctc.chip_of("cpu") == chip


@pytest.mark.parametrize("stream", [-1, 2**64])
def test_handles_of_streams(bundle, layer, stream):
    message = f"stream is {stream}, must be a handle from 0 to 2^64 - 1"
    refuses(ValueError, message, layer, zeros(SHAPE), stream=stream)
    refuses(ValueError, message, bundle.prepare, zeros(WEIGHT), zeros(3),
            stream=stream)


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


def test_paths(bundle, tmp_path):
    """What cannot be read or written is named as the caller named it, and
    nothing is left behind."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for name, error in (("none/x", FileNotFoundError),
                        ("file/x", NotADirectoryError),
                        ("folder", IsADirectoryError)):
        with pytest.raises(error) as caught:
            bundle.save(tmp_path / name)
        assert caught.value.filename == str(tmp_path / name)
        assert caught.value.filename2 is None
    with pytest.raises(IsADirectoryError) as caught:
        bundle.save(os.curdir)
    assert caught.value.filename == os.curdir
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
    for use in (bundle.save, ctc.load):
        refuses(TypeError, "path is b'x', must be the path of a file", use,
                b"x")
        refuses(ValueError, "path is '', must be the path of a file", use, "")
    refuses(TypeError, "path is of type bytes, must be the path of a file; "
            "ctc.Bundle takes bytes", ctc.load, bundle.to_bytes())
    with pytest.raises(FileNotFoundError) as caught:
        ctc.load(pathlib.Path("none.ctcb"))
    assert caught.value.filename in ("none.ctcb", pathlib.Path("none.ctcb"))


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
    ({"input": ("?", 2, 3)}, TypeError, "input's batch is the string '?', must "
     "be an integer, or None where it is known at launch only"),
    ({"input": b"123"}, TypeError, "input is b'123', must be a shape"),
    ({"bias": np.zeros(3)}, TypeError, "bias is array([0., 0., 0.]), must be "
     "True or False; Bundle.prepare takes its values"),
    ({"bias": "yes"}, TypeError, "bias is 'yes', must be True or False"),
    ({"cache": "x"}, TypeError, "cache is 'x', must be True or False"),
    ({"family": 3}, TypeError, "family is 3, must be a string or None"),
    ({"epilogue": 3}, TypeError,
     "epilogue is 3, must be a string or a sequence of strings, a step each"),
    ({"epilogue": ["relu", 3]}, TypeError, "epilogue has 3, must be a string"),
    ({"layout": 3}, TypeError,
     "layout is 3, must be one of channels_first, channels_last"),
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
    ({"stride": "2"}, TypeError,
     "stride is the string '2', must be an integer or a sequence of 1"),
    ({"dilation": b"2"}, TypeError,
     "dilation is b'2', must be an integer or a sequence of 1"),
    ({"stride": np.array([2, 2])}, TypeError,
     "stride is array([2, 2]), must be an integer"),
    ({"stride": np.zeros((9, 9))}, TypeError,
     "stride is of type ndarray, must be an integer"),
    ({"padding": "1:2"}, TypeError,
     "padding is the string '1:2', must be an integer or a sequence of 1"),
    ({"padding": ["12"]}, TypeError, "padding is the string '12', must be an "
     "integer or a pair (low, high)"),
    ({"padding": [(1, "2")]}, TypeError,
     "padding is the string '2', must be an integer"),
    ({"stride": 2**63}, ValueError, f"stride is {2**63}, must fit in 64 bits"),
    ({"padding": [(1, 2, 3)]}, ValueError,
     "padding has the element (1, 2, 3), must be an integer or a pair"),
    ({"chips": "sm_70"}, ValueError, "chips has 'sm_70', must be of sm_80"),
    ({"chips": 80}, TypeError, "chips is 80, must be a string or a sequence "
     "of strings, of sm_80, sm_86"),
    ({"chips": b"sm_80"}, TypeError, "chips is b'sm_80', must be a string"),
    ({"chips": ["sm_80", 90]}, TypeError, "chips has 90, must be a string"),
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
    refuses(TypeError, "mlir is b'module {}', must be the text of a module, or "
            "the path of a file", ctc.compile, b"module {}")


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
