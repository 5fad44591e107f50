#===- test_torch_errors.py - What ctc.torch refuses ------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Bad input of PyTorch's on the host, and the meta device, which has shapes and
no elements."""

import pytest

torch = pytest.importorskip("torch", reason="no PyTorch here")

import ctc
import ctc.torch as ctorch
from torch import nn


def refuses(error, message, function, *arguments, **options):
    """One sentence, without a stack of C++ functions below it."""
    with pytest.raises(error) as caught:
        function(*arguments, **options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def module(**options):
    return ctorch.ConvTranspose2d(8, 4, 3, **options)


def test_arguments():
    w = torch.zeros(2, 3, 2)
    x = torch.zeros(1, 2, 3)
    refuses(ValueError, "input has 2 dimensions, must have 3 to 5",
            ctorch.conv_transpose, torch.zeros(2, 2), w)
    refuses(ValueError, "input has 2 dimensions, must have 3 or 4",
            module(), torch.zeros(2, 2))
    refuses(ValueError, "precision is 'fast', must be one",
            ctorch.conv_transpose, x, w, precision="fast")
    refuses(ValueError, "stride has 2 values, must have 1 or 1",
            ctorch.conv_transpose, x, w, stride=(1, 2))
    refuses(TypeError, "stride is the string '2', must be an integer or a "
            "sequence of 1", ctorch.conv_transpose, x, w, stride="2")
    refuses(ctc.CompileError, "spatial dimension 0: stride is 0, must be at "
            "least 1", ctorch.conv_transpose, x, w, stride=0)


def test_arguments_of_convert():
    refuses(TypeError, "model is a int, must be a", ctorch.convert, 3)
    refuses(ValueError, "precision is 'fast', must be one of tf32, tf32x3, "
            "ieee", ctorch.convert, nn.Identity(), precision="fast")
    refuses(TypeError, "precision is 3, must be one of", ctorch.convert,
            nn.Identity(), precision=3)
    refuses(TypeError, "frozen is 'yes', must be True or False",
            ctorch.convert, nn.Identity(), frozen="yes")


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_the_input_is_blamed(device):
    """And not the weight, which is the module's own."""
    m = module().to(device)
    refuses(ValueError, "input has 7 channels, must have the weight's 8", m,
            torch.zeros(1, 7, 5, 5, device=device))
    refuses(ValueError, "input has 7 channels, must have the weight's 8", m,
            torch.zeros(7, 5, 5, device=device))
    for dtype in ("int32", "float64", "float16"):
        x = torch.zeros(1, 8, 5, 5, dtype=getattr(torch, dtype), device=device)
        refuses(TypeError, f"input has dtype {dtype}, must be float32 as the "
                "weight has", m, x)
    refuses(TypeError, "input has dtype float64, must be float32, float16 or "
            "bfloat16", m.double(),
            torch.zeros(1, 8, 5, 5, dtype=torch.float64, device=device))
    refuses(ValueError, "input has 4 dimensions, must have 3 as the weight "
            "has", ctorch.conv_transpose,
            torch.zeros(1, 8, 5, 5, device=device),
            torch.zeros(8, 4, 3, device=device))


@pytest.mark.parametrize("frozen", [False, True])
def test_sparse_tensors(frozen):
    m = ctorch.convert(module(), frozen=frozen)
    x = torch.ones(1, 8, 5, 5)
    message = "has layout torch.sparse_coo, must have torch.strided"
    for grad in (torch.enable_grad, torch.no_grad):
        with grad():
            refuses(ValueError, f"input {message}", m, x.to_sparse())
            refuses(ValueError, f"weight {message}", ctorch.conv_transpose, x,
                    m.weight.detach().to_sparse(), frozen=frozen)
            refuses(ValueError, f"bias {message}", ctorch.conv_transpose, x,
                    m.weight, m.bias.detach().to_sparse(), frozen=frozen)


def test_tensors_that_are_not_handed_over():
    """To a layer of a bundle, by DLPack."""
    bundle = ctc.compile(input=(1, 2, 3), weight=(2, 2, 2), chips="sm_80")
    w, x = torch.ones(2, 2, 2), torch.ones(1, 2, 3)
    layer = bundle.prepare(w)
    for name, use, tensor in (("weight", bundle.prepare, w),
                              ("input", layer, x),
                              ("out", lambda y: layer(x, out=y),
                               torch.ones(1, 2, 4))):
        refuses(ValueError, f"{name} has layout torch.sparse_coo, must have "
                "torch.strided", use, tensor.to_sparse())
        refuses(ValueError, f"{name} is on meta, must be on cpu or cuda", use,
                tensor.to("meta"))
    packed = torch.zeros(9, dtype=torch.bits8)
    refuses(TypeError, "input has dtype torch.bits8 on cpu, which DLPack does "
            "not hand over: ", layer, packed)
    assert layer(x)[0, 0].tolist() == [2, 4, 4, 2]


# -- The meta device ---------------------------------------------------------

@pytest.mark.parametrize("form", [torch.contiguous_format,
                                  torch.channels_last])
def test_meta(form):
    """Shapes, strides and gradients as PyTorch's module gives them."""
    theirs = nn.ConvTranspose2d(8, 6, 3, stride=2, groups=2).to("meta")
    ours = ctorch.convert(nn.ConvTranspose2d(8, 6, 3, stride=2,
                                             groups=2)).to("meta")
    x = torch.zeros(2, 8, 5, 7, device="meta").to(memory_format=form)
    with torch.autocast("cpu", torch.bfloat16):
        got, want = ours(x), theirs(x)
    assert got.device == want.device == torch.device("meta")
    assert (got.shape, got.dtype) == (want.shape, want.dtype)
    assert got.is_contiguous(memory_format=form)
    got.sum().backward()
    assert ours.weight.grad.shape == ours.weight.shape
    assert ours.weight.grad.device.type == "meta"


def test_meta_tensors_beside_others():
    """Are refused where an output would be memory that nobody wrote."""
    x, m = torch.zeros(1, 8, 5, 5), module()
    refuses(ValueError, "bias is on meta, must be on cpu, where the input is",
            ctorch.conv_transpose, x, m.weight, torch.zeros(4, device="meta"))
    refuses(ValueError, "weight is on meta, must be on cpu, where the input "
            "is", m.to("meta"), x)
    # As PyTorch: only shapes are asked for.
    assert module()(x.to("meta")).shape == (1, 4, 7, 7)
