#===- _layers.py - A layer from the shapes of its tensors ------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What `ctc.compile` is given, checked and in one form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeGuard, Union

from ctc import _checks

#: One value for all dimensions, or one each.
PerDimension = Union[int, Sequence[int]]
#: The same, where a value may be a pair (low, high).
Padding = Union[int, Sequence[Union[int, tuple[int, int]]]]

_DTYPES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16",
           "f32": "f32", "f16": "f16", "bf16": "bf16", "half": "f16",
           "float": "f32"}
_NAMES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}
LAYOUTS = ("channels_first", "channels_last")
PRECISIONS = ("tf32", "tf32x3", "ieee")


@dataclass(frozen=True)
class Layer:
    """A transposed convolution. Sizes count elements; tuples have one value
    per spatial dimension, outermost first. `batch` is None where it is known
    at launch only."""

    batch: int | None
    input_channels: int
    output_channels: int
    groups: int
    input: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    output_padding: tuple[int, ...]
    dtype: str
    layout: str
    precision: str
    bias: bool

    def fields(self) -> dict[str, Any]:
        return asdict(self)

    def output(self) -> tuple[int, ...]:
        """Spatial sizes of the output: per dimension
        (I-1)*stride - low - high + dilation*(K-1) + output_padding + 1."""
        return tuple(
            (i - 1) * s - low - high + d * (k - 1) + more + 1
            for i, k, s, d, (low, high), more in zip(
                self.input, self.kernel, self.stride, self.dilation,
                self.padding, self.output_padding))

    def matches(self, entry: Any) -> bool:
        """Whether an entry of a bundle computes this layer."""
        spatial = len(self.input)
        at = 2 if self.layout == "channels_first" else 1
        x, w = entry.input.shape, entry.weight.shape
        return ((entry.batch, entry.groups, entry.stride, entry.dilation,
                 entry.padding, entry.output_padding, entry.layout,
                 entry.precision, entry.bias is not None)
                == (self.batch, self.groups, self.stride, self.dilation,
                    self.padding, self.output_padding, self.layout,
                    self.precision, self.bias)
                and x[at:at + spatial] == self.input
                and w == (self.input_channels,
                          self.output_channels // self.groups, *self.kernel)
                and entry.input.dtype == _NAMES[self.dtype])


def dtype_name(dtype: object) -> str:
    """"f32", "f16" or "bf16" for a name, a NumPy, torch or JAX dtype."""
    text = dtype if isinstance(dtype, str) else (
        getattr(dtype, "name", None) or getattr(dtype, "__name__", None)
        or str(dtype))
    name = _DTYPES.get(str(text).removeprefix("torch."))
    if name is None:
        raise ValueError(f"dtype is {text!r}, must be float32, float16 or "
                         "bfloat16")
    return name


def _integer(what: str, value: Any, legal: str = "an integer") -> int:
    number = None
    if not isinstance(value, bool):
        try:
            number = int(value.__index__())
        except (AttributeError, TypeError):  # Arrays have it, and refuse.
            pass
    if number is None:
        kind = "the string " if isinstance(value, str) else ""
        raise TypeError(f"{what} is {kind}{_checks.shown(value)}, must be "
                        f"{legal}")
    if not -2**63 < number < 2**63:
        raise ValueError(f"{what} is {number}, must fit in 64 bits")
    return number


def _is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Of values: characters and bytes are none."""
    return (isinstance(value, Sequence)
            and not isinstance(value, (str, bytes, bytearray)))


def per_dimension(what: str, value: PerDimension,
                  rank: int) -> tuple[int, ...]:
    """One integer for each of `rank` dimensions."""
    if not _is_sequence(value):
        every = _integer(what, value, f"an integer or a sequence of {rank}")
        return (every,) * rank
    if len(value) != rank:
        raise ValueError(f"{what} has {len(value)} values, must have 1 or "
                         f"{rank}, one per spatial dimension")
    return tuple(_integer(what, one) for one in value)


def sides(what: str, value: Padding, rank: int) -> tuple[tuple[int, int], ...]:
    """Low and high padding for each of `rank` dimensions."""
    if not _is_sequence(value):
        both = _integer(what, value, f"an integer or a sequence of {rank}")
        return ((both, both),) * rank
    if len(value) != rank:
        raise ValueError(f"{what} has {len(value)} values, must have 1 or "
                         f"{rank}, one per spatial dimension")
    pairs = []
    for one in value:
        if not _is_sequence(one):
            both = _integer(what, one, "an integer or a pair (low, high)")
            pairs.append((both, both))
            continue
        if len(one) != 2:
            raise ValueError(f"{what} has the element {one!r}, must be an "
                             "integer or a pair (low, high)")
        pairs.append((_integer(what, one[0]), _integer(what, one[1])))
    return tuple(pairs)


def choice(what: str, value: object, legal: tuple[str, ...]) -> str:
    """One of some words."""
    if isinstance(value, str) and value in legal:
        return value
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(f"{what} is {_checks.shown(value)}, must be one of "
               f"{', '.join(legal)}")


def _sizes(what: str, value: object) -> tuple[object, ...]:
    if not _is_sequence(value):
        raise TypeError(f"{what} is {_checks.shown(value)}, must be a shape: "
                        "a sequence of integers")
    return tuple(value)


def layer(*, input: object, weight: object, dtype: object, bias: bool,
          stride: PerDimension, dilation: PerDimension, padding: Padding,
          output_padding: PerDimension, groups: int, layout: str,
          precision: str) -> Layer:
    """The layer of `ctc.compile`'s arguments, or ValueError or TypeError."""
    if not isinstance(bias, bool):
        raise TypeError(f"bias is {_checks.shown(bias)}, must be True or "
                        "False; Bundle.prepare takes its values")
    x, w = _sizes("input", input), _sizes("weight", weight)
    if not 3 <= len(x) <= 5:
        raise ValueError(f"input has {len(x)} sizes, must have 3 to 5: batch, "
                         "channels and 1 to 3 spatial sizes")
    if len(w) != len(x):
        raise ValueError(f"weight has {len(w)} sizes, must have {len(x)} as "
                         "input has")
    first = choice("layout", layout, LAYOUTS) == "channels_first"
    rank = len(x) - 2
    batch = None if x[0] is None else _integer(
        "input's batch", x[0],
        "an integer, or None where it is known at launch only")
    others = [_integer("a size of input", one) for one in x[1:]]
    kernel = [_integer("a size of weight", one) for one in w]
    channels = others.pop(0 if first else -1)
    for what, number in (("input", batch or 0), ("input", channels),
                         *(("input", one) for one in others),
                         *(("weight", one) for one in kernel)):
        if number < 0:
            raise ValueError(f"{what} has a size of {number}, must be at "
                             "least 0")
    if kernel[0] != channels:
        raise ValueError(f"weight has {kernel[0]} input channels, must have "
                         f"input's {channels}")
    count = _integer("groups", groups)
    return Layer(
        batch=batch, input_channels=channels,
        output_channels=kernel[1] * count, groups=count,
        input=tuple(others), kernel=tuple(kernel[2:]),
        stride=per_dimension("stride", stride, rank),
        dilation=per_dimension("dilation", dilation, rank),
        padding=sides("padding", padding, rank),
        output_padding=per_dimension("output_padding", output_padding, rank),
        dtype=dtype_name(dtype), layout=layout,
        precision=choice("precision", precision, PRECISIONS),
        bias=bias)
