#===- test_oracle.py - The reference and the check --------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
import math

import pytest
from conftest import case

torch = pytest.importorskip("torch")

import oracle  # noqa: E402
import shapes  # noqa: E402

LAYERS = {
    "plane": {}, "grouped": {"groups": 2, "dilation": [2, 1]},
    "depthwise line": {
        "Cin": 4, "groups": 4, "spatial": [6], "kernel": [4], "stride": [5],
        "padding": [1], "output_padding": [0], "dilation": [3]},
    "volume": {
        "spatial": [2, 3, 3], "kernel": [3, 2, 1], "stride": [2, 2, 3],
        "padding": [1, 0, 0], "output_padding": [0, 1, 2],
        "dilation": [1, 1, 1], "bias": False}}


def tensors(layer, dtype):
    generator = torch.Generator().manual_seed(3)
    x, w, b = ((torch.rand(shape, generator=generator) * 2 - 1).to(dtype)
               for shape in (layer.input_shape, layer.weight_shape,
                             (layer.output_channels,)))
    return x, w, b if layer.bias else None


def by_torch(layer, x, w, b):
    operation = (torch.conv_transpose1d, torch.conv_transpose2d,
                 torch.conv_transpose3d)[layer.rank - 1]
    return operation(x, w, b, layer.stride, [low for low, _ in layer.padding],
                     layer.output_padding, layer.groups, layer.dilation)


@pytest.mark.parametrize("changes", LAYERS.values(), ids=LAYERS)
@pytest.mark.parametrize("precision", ["tf32", "ieee", "f16", "bf16"])
def test_agrees_with_torch_in_float64(changes, precision):
    layer = shapes.read_case(case(**changes), "case")
    dtype = oracle.DTYPES.get(precision, torch.float32)
    x, w, b = tensors(layer, dtype)
    reference = oracle.Reference(layer, precision, x, w, b)
    if precision == "tf32":
        x, w = oracle.round_tf32(x), oracle.round_tf32(w)
    wide = [None if t is None else t.double() for t in (x, w, b)]
    torch.testing.assert_close(reference.value, by_torch(layer, *wide),
                               rtol=1e-13, atol=1e-13)
    magnitude = by_torch(layer, *(None if t is None else t.abs()
                                  for t in wide))
    assert (reference.magnitude.double() >= magnitude * (1 - 1e-13)).all()
    narrow = [None if t is None else t.float() for t in (x, w, b)]
    y = by_torch(layer, *narrow).to(dtype)
    verdict = reference.check(y, oracle.ctc_arithmetic("simt", precision))
    assert verdict.status == "ok" and verdict.checked == "all outputs"
    assert verdict.outputs == y.numel()
    assert verdict.error_over_bound <= 1


@pytest.mark.parametrize("spoil", [
    lambda y: y.view(-1)[7:8].fill_(math.nan),
    lambda y: y.view(-1)[-1:].add_(0.01),
    lambda y: y[1].copy_(y[0].clone()),
    lambda y: y.copy_(y.bfloat16().float())])
def test_what_is_wrong_is_found(spoil):
    layer = shapes.read_case(case(), "case")
    x, w, b = tensors(layer, torch.float32)
    reference = oracle.Reference(layer, "ieee", x, w, b)
    y = by_torch(layer, x, w, b)
    spoil(y)
    verdict = reference.check(y, oracle.peer_arithmetic("ieee"))
    assert verdict.wrong > 0 and verdict.status != "ok"
    assert verdict.error_over_bound > 1


def test_an_error_within_as_a_whole():
    """One output beyond its own bound, and all others exact."""
    layer = shapes.read_case(case(N=64), "case")
    x, w, b = tensors(layer, torch.float32)
    reference = oracle.Reference(layer, "ieee", x, w, b)
    y = reference.value.float()
    arithmetic = oracle.peer_arithmetic("ieee")
    worst = reference.magnitude.view(-1)[0].item() * 1.5 * (12 + 2) * \
        arithmetic.unit
    y.view(-1)[0] += 3 * worst
    assert reference.check(y, arithmetic).status == "norm"
    y.view(-1)[0] += 3000 * worst
    assert reference.check(y, arithmetic).status == "wrong"


def test_operands_of_peers_may_be_cut_to_tf32():
    layer = shapes.read_case(case(), "case")
    x, w, b = tensors(layer, torch.float32)
    reference = oracle.Reference(layer, "tf32", x, w, b)

    def cut(tensor):
        return (tensor.view(torch.int32) & ~0x1FFF).view(torch.float32)

    y = by_torch(layer, cut(x), cut(w), b)
    assert reference.check(y, oracle.peer_arithmetic("tf32")).status == "ok"
    assert reference.check(y, oracle.ctc_arithmetic("mma_sync",
                                                    "tf32")).wrong > 0


def test_rounding():
    ones = torch.tensor([1 + 2 ** -11, 1 + 2 ** -11 - 2 ** -23, -1 - 2 ** -11])
    assert oracle.round_tf32(ones).tolist() == [1 + 2 ** -10, 1, -1 - 2 ** -10]
    # Rounded to f32 first this would be a tie, and go to even.
    values = torch.tensor([1 + 2 ** -8 + 2 ** -40, 1 + 2 ** -8],
                          dtype=torch.float64)
    assert oracle.round_to(values, torch.bfloat16).tolist() == [1 + 2 ** -7, 1]
    assert oracle.half_ulp(torch.tensor([1.0, 1.5, 2.0], dtype=torch.float64),
                           torch.bfloat16).tolist() == [
                               2 ** -8, 2 ** -8, 2 ** -7]


def test_some_samples_of_a_large_batch():
    layer = shapes.read_case(case(N=8), "case")
    each = math.prod(layer.output_shape[1:])
    assert oracle.choose_samples(layer, None) == list(range(8))
    assert oracle.choose_samples(layer, 3 * each) == [2, 5, 7]
    assert oracle.choose_samples(layer, 1) == [7]
    x, w, b = tensors(layer, torch.float32)
    reference = oracle.Reference(layer, "ieee", x, w, b, 3 * each)
    y = by_torch(layer, x, w, b)
    verdict = reference.check(y, oracle.peer_arithmetic("ieee"))
    assert verdict.status == "ok" and verdict.outputs == 3 * each
    assert verdict.checked == "all outputs of 3 of 8 samples"
    y[7, 0, 0, 0] += 1
    assert reference.check(y, oracle.peer_arithmetic("ieee")).wrong == 1
    with pytest.raises(ValueError, match="the output is"):
        reference.check(y[:, :1], oracle.peer_arithmetic("ieee"))
