#===- oracle.py - A float64 reference for what was timed --------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The definition as a scatter over taps, in float64 on the device that has the
inputs, and the project's error bound (docs/Numerics.md). No tolerance is picked
by hand.

    |y - ref| <= ((n + extra) * u + slack) * (sum |x||w| + |b|), then rounded

`slack` is 0 for ctc. PyTorch and the Triton kernels do not say how they make
tf32 of an operand, so theirs may be any of its tf32 neighbours or the operand
itself: that is at most 2^-10 of it, and 2^-9 (1 + 2^-8) of a product.
"""

import dataclasses
import itertools
import math

import torch

DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
# Significant bits and the exponent of the smallest step.
FORMATS = {torch.float32: (24, -149), torch.float16: (11, -24),
           torch.bfloat16: (8, -133)}
CHUNK = 1 << 25  # Elements that a step of the check works on.


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    unit: float  # Relative error of an addition.
    extra: int  # Additions besides those of the products.
    slack: float = 0.0  # Relative error of a product.


def ctc_arithmetic(family, precision):
    return Arithmetic(2.0 ** -24 if family == "simt" else 2.0 ** -23,
                      13 if precision == "tf32x3" else 2)


def peer_arithmetic(precision):
    slack = 2.0 ** -9 * (1 + 2.0 ** -8) if precision == "tf32" else 0.0
    return Arithmetic(2.0 ** -23, 2, slack)


def round_tf32(tensor):
    """To nearest with 10 fraction bits, ties away from zero."""
    bits = tensor.view(torch.int32)
    return ((bits + 0x1000) & ~0x1FFF).view(torch.float32)


def round_to(values, dtype):
    """float64 rounded once, to nearest even, as float64."""
    single = values.float()
    if dtype == torch.float32:
        return single.double()
    # Rounding to odd first, so that rounding twice is rounding once.
    exact = single.double()
    even = (single.view(torch.int32) & 1) == 0
    infinity = torch.full_like(single, math.inf)
    toward = torch.nextafter(single, torch.where(values > exact, infinity,
                                                 -infinity))
    odd = torch.where((exact != values) & even, toward, single)
    return odd.to(dtype).double()


def half_ulp(values, dtype):
    digits, least = FORMATS[dtype]
    exponent = torch.frexp(values).exponent - digits
    return torch.ldexp(torch.full_like(values, 0.5),
                       exponent.clamp(min=least))


@dataclasses.dataclass
class Verdict:
    outputs: int  # Compared; `checked` says which.
    checked: str
    wrong: int
    error_over_bound: float  # Of the worst output.
    norm_over_bound: float  # 2-norm of the errors over that of the bounds.

    @property
    def status(self):
        """`ok`; `norm` when single outputs are beyond their own bounds while
        the error as a whole is within, as fast algorithms that add and
        subtract inputs first may be; else `wrong`."""
        if self.wrong == 0:
            return "ok"
        return "norm" if self.norm_over_bound <= 1 else "wrong"


class Reference:
    """What a layer has to give for x, w and b, tensors in the order N, C,
    spatial and of the element type. `samples` are the batch's members that are
    computed; all of them unless `most_outputs` is less."""

    def __init__(self, layer, precision, x, w, b, most_outputs=None):
        self.layer = layer
        self.dtype = x.dtype
        self.samples = choose_samples(layer, most_outputs)
        if precision == "tf32":
            x, w = round_tf32(x), round_tf32(w)
        self.counts = [tap_counts(layer, dim).to(x.device)
                       for dim in range(layer.rank)]
        shape = (len(self.samples), *layer.output_shape[1:])
        self.value = torch.empty(shape, dtype=torch.float64, device=x.device)
        self.magnitude = torch.empty(shape, dtype=torch.float32,
                                     device=x.device)
        w64 = w.double()
        bias = None if b is None else b.double()
        infinity = torch.tensor(math.inf, device=x.device)
        for first, last in self._chunks():
            part = x[self.samples[first:last]].double()
            self.value[first:last] = scatter(layer, part, w64, bias)
            upper = scatter(layer, part.abs_(), w64.abs(),
                            None if bias is None else bias.abs())
            self.magnitude[first:last] = torch.nextafter(upper.float(),
                                                         infinity)

    def _chunks(self):
        layer = self.layer
        each = max(math.prod(layer.output_shape[1:]),
                   math.prod(layer.input_shape[1:]))
        step = max(1, CHUNK // each)
        count = len(self.samples)
        return [(at, min(at + step, count)) for at in range(0, count, step)]

    def _products(self):
        """Of every output, broadcast over batch and channels."""
        layer = self.layer
        products = torch.tensor(
            float(layer.input_channels // layer.groups), dtype=torch.float64,
            device=self.value.device)
        for dim, counts in enumerate(self.counts):
            shape = [1] * layer.rank
            shape[dim] = -1
            products = products * counts.double().view(shape)
        return products

    def check(self, output, arithmetic):
        """Judges an output given in the order N, C, spatial (any strides)."""
        if tuple(output.shape) != self.layer.output_shape or \
                output.dtype != self.dtype:
            raise ValueError(
                f"the output is {tuple(output.shape)} of {output.dtype}, must "
                f"be {self.layer.output_shape} of {self.dtype}")
        products = self._products()
        factor = torch.where(
            products > 0,
            (products + arithmetic.extra) * arithmetic.unit + arithmetic.slack,
            0.0)
        wrong, worst, error, bound = 0, 0.0, 0.0, 0.0
        for first, last in self._chunks():
            y = output[self.samples[first:last]].double()
            reference = self.value[first:last]
            radius = self.magnitude[first:last].double() * factor
            low, high = reference - radius, reference + radius
            good = (y >= round_to(low, self.dtype)) & \
                (y <= round_to(high, self.dtype))
            wrong += int(y.numel() - good.sum())
            allowed = radius + half_ulp(torch.maximum(low.abs(), high.abs()),
                                        self.dtype)
            off = torch.nan_to_num((y - reference).abs(), nan=math.inf)
            worst = max(worst, float((off / allowed).max()))
            error += float((off ** 2).sum())
            bound += float((allowed ** 2).sum())
        return Verdict(self.value.numel(), self._checked(), wrong, worst,
                       math.sqrt(error / bound))

    def _checked(self):
        if len(self.samples) == self.layer.batch:
            return "all outputs"
        return (f"all outputs of {len(self.samples)} of {self.layer.batch} "
                "samples")


def choose_samples(layer, most_outputs):
    """All of the batch, or as many as allowed, spread, the last one among
    them."""
    each = math.prod(layer.output_shape[1:])
    if most_outputs is None or layer.batch * each <= most_outputs:
        return list(range(layer.batch))
    count = max(1, int(most_outputs // each))
    return sorted({layer.batch - 1 - index * layer.batch // count
                   for index in range(count)})


def in_range(layer, dim, tap):
    """Inputs [low, high) whose product with a tap lies in the output, and the
    output position of the first."""
    first = tap * layer.dilation[dim] - layer.padding[dim][0]
    stride, size = layer.stride[dim], layer.output_spatial[dim]
    low = max(0, -(first // stride))
    high = min(layer.spatial[dim], -((first - size) // stride))
    return low, max(low, high), first + low * stride


def tap_counts(layer, dim):
    """For every output position of a dimension, how many taps reach an input
    there."""
    counts = torch.zeros(layer.output_spatial[dim], dtype=torch.int64)
    for tap in range(layer.kernel[dim]):
        low, high, first = in_range(layer, dim, tap)
        if high > low:
            counts[first::layer.stride[dim]][:high - low] += 1
    return counts


def scatter(layer, x, w, bias):
    """y[i*s - lo + k*d] += x[i] * w[k], one tap at a time."""
    batch, groups = x.shape[0], layer.groups
    inputs = layer.input_channels // groups
    outputs = layer.output_channels // groups
    y = torch.zeros((batch, groups, outputs, *layer.output_spatial),
                    dtype=x.dtype, device=x.device)
    if bias is not None:
        y += bias.view(1, groups, outputs, *[1] * layer.rank)
    x = x.reshape(batch, groups, inputs, *layer.spatial)
    w = w.reshape(groups, inputs, outputs, *layer.kernel)
    for taps in itertools.product(*map(range, layer.kernel)):
        ranges = [in_range(layer, dim, tap) for dim, tap in enumerate(taps)]
        if any(high <= low for low, high, _ in ranges):
            continue
        source = tuple(slice(low, high) for low, high, _ in ranges)
        target = tuple(
            slice(first, first + (high - low - 1) * stride + 1, stride)
            for (low, high, first), stride in zip(ranges, layer.stride))
        part = x[(..., *source)]
        weights = w[(..., *taps)].transpose(1, 2)  # groups, outputs, inputs
        shape = (batch, groups, outputs, *part.shape[3:])
        products = torch.matmul(
            weights, part.reshape(batch, groups, inputs, -1))
        y[(..., *target)] += products.view(shape)
    return y.view(batch, groups * outputs, *layer.output_spatial)
