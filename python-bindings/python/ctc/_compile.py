#===- _compile.py - From shapes or MLIR to a bundle ------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""`ctc.compile`."""

from __future__ import annotations

import hashlib
import os
import pathlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ctc import _cache, _checks, _devices, _layers, _runtime
from ctc._bundle import Bundle
from ctc._errors import CompilerMissingError, NoImageError
from ctc._layers import Padding, PerDimension


def _compiler() -> Any:
    try:
        from ctc import _compiler
    except ImportError as error:
        raise CompilerMissingError(
            "this installation of ctc has no compiler, and the cache in "
            f"{_cache.directory()} does not have the bundle: compile it where "
            "LLVM 22 is, and load it, or copy the cache over "
            f"({error})") from None
    return _compiler


def has_compiler() -> bool:
    """Whether this installation can compile, or only load and launch."""
    try:
        _compiler()
    except CompilerMissingError:
        return False
    return True


def _words(what: str, value: object, legal: str) -> list[str]:
    """The words of a list, or of a text with commas between them."""
    if isinstance(value, str):
        return value.split(",")
    if not isinstance(value, Iterable) or isinstance(value, (bytes, bytearray)):
        raise TypeError(f"{what} is {_checks.shown(value)}, must be {legal}")
    words = list(value)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{what} has {_checks.shown(word)}, must be "
                            f"{legal}")
    return words


def steps_of(epilogue: object) -> list[str]:
    """The steps of an epilogue as `ctc.compile` is given it."""
    words = _words("epilogue", epilogue,
                   "a string or a sequence of strings, a step each")
    return [word for word in words if word]


def _chips(chips: str | Sequence[str] | None) -> list[str]:
    known = _runtime.chips()
    if chips is None:
        return known
    legal = ", ".join(known)
    names = _words("chips", chips,
                   f"a string or a sequence of strings, of {legal}")
    if not names:
        raise ValueError(f"chips is empty, must name at least one of {legal}")
    for name in names:
        if name not in known:
            raise ValueError(f"chips has {name!r}, must be of {legal}")
        if names.count(name) > 1:
            raise ValueError(f"chips names {name!r} twice")
    return names


def _cpu_chip() -> str:
    known = _runtime.chips()
    name = os.environ.get("CTC_CPU_CHIP") or known[0]
    if name not in known:
        raise ValueError(f"CTC_CPU_CHIP is {name!r}, must be one of "
                         f"{', '.join(known)}")
    return name


def chip_of(device: str = "auto") -> str:
    """The chip to compile for to run on a device ("cuda:0", "cpu", "auto").

    The cpu device executes any chip's PTX; CTC_CPU_CHIP says whose, the oldest
    chip's without it.

    Raises `ctc.NoDeviceError` where there is no such GPU, `ctc.NoImageError`
    for a GPU that ctc does not compile for, and `ValueError`.
    """
    found = _devices.device(device)
    if found.compute_capability is None:
        return _cpu_chip()
    if found.chip is None:
        major, minor = found.compute_capability
        raise NoImageError(f"{found.name} has compute capability {major}."
                           f"{minor}, ctc compiles for "
                           f"{', '.join(_runtime.chips())}")
    return found.chip


def _cached(request: dict[str, object], fits: Callable[[Bundle], bool],
            make: Callable[[], bytes], cache: bool) -> Bundle:
    name = _cache.key(request)
    if cache:
        bundle = _cache.read(name, fits)
        if bundle is not None:
            return bundle
    data = make()
    if cache:
        _cache.write(name, data)
    return Bundle(data)


class _Tables:
    """The tuning tables to look in: ctc's own (True), none (False), or a file
    before ctc's own."""

    def __init__(self, choice: str | os.PathLike[str] | bool):
        self.use = choice is not False
        self.path = "" if isinstance(choice, bool) else _checks.path(
            "tuning_table", choice, "True, False or the path of a file")

    def key(self) -> dict[str, object]:
        """What of them is in the name of a cached bundle: a file by what is in
        it and, as bundles say where a kernel is from, by its own name."""
        if not self.path:
            return {} if self.use else {"tuning_table": False}
        path = pathlib.Path(self.path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        return {"tuning_table": [path.name, digest]}

    def arguments(self) -> tuple[str, bool]:
        return self.path, self.use


def compile_layer(layer: _layers.Layer, epilogue: Sequence[str] = (),
                  chips: Sequence[str] | None = None,
                  family: str | None = None, cache: bool = True,
                  tuning_table: str | os.PathLike[str] | bool = True
                  ) -> Bundle:
    """The bundle of a checked layer."""
    names = _chips(chips)
    steps = list(epilogue)
    tables = _Tables(tuning_table)

    def fits(bundle: Bundle) -> bool:
        return bundle.chips == names and layer.matches(bundle.entry())

    return _cached(
        {"layer": layer.fields(), "epilogue": steps, "chips": names,
         "family": family, **tables.key()}, fits,
        lambda: bytes(_compiler().compile_layer(
            layer.fields(), steps, names, family or "", *tables.arguments())),
        cache)


def _compile_mlir(text: str, name: str, chips: list[str], family: str | None,
                  cache: bool, tables: _Tables) -> Bundle:
    return _cached(
        {"mlir": text, "chips": chips, "family": family, **tables.key()},
        lambda bundle: bundle.chips == chips,
        lambda: bytes(_compiler().compile_mlir(
            text, name, chips, family or "", *tables.arguments())), cache)


def compile(mlir: str | os.PathLike[str] | None = None, *,
            input: Sequence[int | None] | None = None,
            weight: Sequence[int] | None = None,
            dtype: object = "float32", bias: bool = False,
            stride: PerDimension = 1, dilation: PerDimension = 1,
            padding: Padding = 0, output_padding: PerDimension = 0,
            groups: int = 1, layout: str = "channels_first",
            precision: str = "tf32", epilogue: str | Sequence[str] = (),
            chips: str | Sequence[str] | None = None,
            family: str | None = None, cache: bool = True,
            tuning_table: str | os.PathLike[str] | bool = True) -> Bundle:
    """Compiles a transposed convolution for NVIDIA chips.

    Either `mlir`, the text of a module (docs/Operator.md) or the path of a
    file that holds one, or a layer by its shapes:

    input: shape of the input, (N, Cin, spatial...), or (N, spatial..., Cin)
        with layout="channels_last"; 1 to 3 spatial sizes, in elements. A batch
        N of None is known at launch only.
    weight: shape of the weight, (Cin, Cout/groups, kernel...), as in PyTorch.
    dtype: float32, float16 or bfloat16, as a name or a framework's dtype.
    bias: whether a bias per output channel is added.
    stride, dilation, output_padding: one value or one per spatial dimension.
    padding: the same; a value may be a pair (low, high), and negative.
    groups: must divide both channel counts.
    layout: "channels_first" or "channels_last".
    precision: how float32 is multiplied: "tf32" (as PyTorch's convolutions do
        by default), "tf32x3" or "ieee" (docs/Numerics.md).
    epilogue: elementwise steps, "gelu" or ["mul:0.5", "gelu"] (docs/Driver.md).
    chips: "sm_90a" or several; all that ctc knows without it.
    family: the kernel family to use instead of the one ctc chooses.
    cache: whether to look in the cache on disk and add to it (docs/Python.md).
    tuning_table: whether to look for measured kernels in ctc's own tables, or
        the path of a table to look in before them (docs/Benchmarks.md).

    The output has per spatial dimension (I-1)*stride - low - high
    + dilation*(K-1) + output_padding + 1 elements.

    Raises `TypeError` and `ValueError` for arguments that are not legal,
    `ctc.CompileError` for a layer or a module that does not compile and for a
    tuning table that is none, `OSError` for one that cannot be read, and
    `ctc.CompilerMissingError` where this installation cannot compile and the
    cache does not have the bundle.
    """
    names = _chips(chips)
    _checks.require(family=(family, _checks.TEXT_OR_NONE),
                    cache=(cache, _checks.FLAG))
    if mlir is not None:
        if input is not None or weight is not None:
            raise ValueError("mlir and a shape are given, must be one of them")
        if isinstance(mlir, str):
            return _compile_mlir(mlir, "<mlir>", names, family, cache,
                                 _Tables(tuning_table))
        path = _checks.path("mlir", mlir, "the text of a module, or the path "
                            "of a file as an os.PathLike")
        return _compile_mlir(pathlib.Path(path).read_text(), path, names,
                             family, cache, _Tables(tuning_table))
    if input is None or weight is None:
        raise ValueError("there is nothing to compile: give MLIR text, or "
                         "input= and weight=")
    steps = steps_of(epilogue)
    layer = _layers.layer(
        input=input, weight=weight, dtype=dtype, bias=bias, stride=stride,
        dilation=dilation, padding=padding, output_padding=output_padding,
        groups=groups, layout=layout, precision=precision)
    return compile_layer(layer, steps, names, family, cache, tuning_table)
