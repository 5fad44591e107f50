#===- shapes.py - Layers from a JSON file -----------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Reads files of layers: {"cases": [...]}, the format of `ctc verify`
(docs/Driver.md). A layer is the convolution alone; an epilogue is not applied.

Every attribute has to be there, so a misspelt one is found missing.
"""

import dataclasses
import math
import pathlib

import json_text


class ShapesError(Exception):
    """A file that is no list of layers, or a case that is no layer."""


@dataclasses.dataclass(frozen=True)
class Layer:
    """One transposed convolution, sizes per spatial dimension."""
    name: str
    batch: int
    input_channels: int
    output_channels: int
    groups: int
    spatial: tuple
    kernel: tuple
    stride: tuple
    padding: tuple  # (low, high) per dimension.
    output_padding: tuple
    dilation: tuple
    bias: bool
    source: str = ""  # The file it comes from.

    @property
    def rank(self):
        return len(self.spatial)

    @property
    def output_spatial(self):
        return tuple(
            (i - 1) * s - low - high + d * (k - 1) + extra + 1
            for i, k, s, (low, high), extra, d in zip(
                self.spatial, self.kernel, self.stride, self.padding,
                self.output_padding, self.dilation))

    @property
    def input_shape(self):
        return (self.batch, self.input_channels, *self.spatial)

    @property
    def weight_shape(self):
        return (self.input_channels, self.output_channels // self.groups,
                *self.kernel)

    @property
    def output_shape(self):
        return (self.batch, self.output_channels, *self.output_spatial)

    def useful_macs(self):
        """Multiply-adds of the in-range (input, tap) pairs."""
        pairs = 1
        for dim in range(self.rank):
            size = self.output_spatial[dim]
            stride = self.stride[dim]
            of_dim = 0
            for tap in range(self.kernel[dim]):
                first = tap * self.dilation[dim] - self.padding[dim][0]
                # Inputs i with 0 <= first + i * stride < size.
                low = max(0, -(first // stride))
                high = min(self.spatial[dim], -((first - size) // stride))
                of_dim += max(0, high - low)
            pairs *= of_dim
        return (pairs * self.batch * self.input_channels *
                (self.output_channels // self.groups))

    def elements(self):
        """Of input, weight and output."""
        return (math.prod(self.input_shape), math.prod(self.weight_shape),
                math.prod(self.output_shape))


def _fail(where, what):
    raise ShapesError(f"{where}: {what}")


def _integer(case, key, where, least):
    value = case.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        _fail(where, f"'{key}' is {value!r}, must be an integer of at least "
                     f"{least}")
    return value


def _integers(case, key, where, count, least):
    values = case.get(key)
    if not isinstance(values, list) or len(values) != count or any(
            not isinstance(v, int) or isinstance(v, bool) or v < least
            for v in values):
        _fail(where, f"'{key}' is {values!r}, must be a list of {count} "
                     f"integers of at least {least}")
    return tuple(values)


def _padding(case, where, count):
    values = case.get("padding")
    pairs = [[v, v] if isinstance(v, int) else v for v in values] \
        if isinstance(values, list) else []
    if len(pairs) != count or any(
            not isinstance(p, list) or len(p) != 2 or
            not all(isinstance(v, int) for v in p) for p in pairs):
        _fail(where, f"'padding' is {values!r}, must be a list of {count} "
                     "integers or pairs [low, high]")
    return tuple(tuple(pair) for pair in pairs)


def read_case(case, where, source=""):
    """One layer of a file. Raises ShapesError."""
    if not isinstance(case, dict):
        _fail(where, "is no object")
    name = case.get("name")
    if not isinstance(name, str) or not name:
        _fail(where, f"'name' is {name!r}, must be a text")
    where += f" '{name}'"
    spatial = case.get("spatial")
    rank = len(spatial) if isinstance(spatial, list) else 0
    if not 1 <= rank <= 3:
        _fail(where, f"'spatial' is {spatial!r}, must be a list of 1 to 3 "
                     "integers")
    if not (case.get("bias") is None or isinstance(case["bias"], bool)):
        _fail(where, f"'bias' is {case['bias']!r}, must be true, false or null")
    layer = Layer(
        name=name, batch=_integer(case, "N", where, 1),
        input_channels=_integer(case, "Cin", where, 1),
        output_channels=_integer(case, "Cout", where, 1),
        groups=_integer(case, "groups", where, 1),
        spatial=_integers(case, "spatial", where, rank, 1),
        kernel=_integers(case, "kernel", where, rank, 1),
        stride=_integers(case, "stride", where, rank, 1),
        padding=_padding(case, where, rank),
        output_padding=_integers(case, "output_padding", where, rank, 0),
        dilation=_integers(case, "dilation", where, rank, 1),
        bias=bool(case.get("bias")), source=source)
    _check(layer, case, where)
    return layer


def _check(layer, case, where):
    for key, channels in (("Cin", layer.input_channels),
                          ("Cout", layer.output_channels)):
        if channels % layer.groups:
            _fail(where, f"'groups' is {layer.groups}, must divide '{key}', "
                         f"{channels}")
    if min(layer.output_spatial) < 1:
        _fail(where, f"the output is {list(layer.output_spatial)}; there is "
                     "nothing to time")
    said = case.get("out_spatial")
    if said is not None and said != list(layer.output_spatial):
        _fail(where, f"'out_spatial' is {said!r}, the definition gives "
                     f"{list(layer.output_spatial)}")


def read_shapes(path):
    """The layers of a file and a message for every case that is none.

    Raises ShapesError when the file is no list of cases.
    """
    path = pathlib.Path(path)
    try:
        content = json_text.parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ShapesError(f"{path}: cannot be read: {error}") from error
    except ValueError as error:
        raise ShapesError(f"{path}: is no JSON: {error}") from error
    cases = content.get("cases") if isinstance(content, dict) else None
    if not isinstance(cases, list) or not cases:
        raise ShapesError(f"{path}: must be an object with a list 'cases' of at "
                          "least one layer")
    layers, problems, names = [], [], set()
    for index, case in enumerate(cases):
        try:
            layer = read_case(case, f"{path.name}: case {index}", path.stem)
            if layer.name in names:
                _fail(f"{path.name}: case {index} '{layer.name}'",
                      "has the name of another case")
            names.add(layer.name)
            layers.append(layer)
        except ShapesError as error:
            problems.append(str(error))
    return layers, problems
