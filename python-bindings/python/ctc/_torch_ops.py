#===- _torch_ops.py - Transposed convolution as an operator of PyTorch -----===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The operator ctc::conv_transpose: its kernel, its fake, its gradients."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from ctc import _layers
from ctc._bundle import Bundle
from ctc._compile import chip_of, compile_layer
from ctc._runtime import PreparedLayer

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}


@dataclass(frozen=True)
class _Compiled:
    bundle: Bundle
    packed_bytes: int


_compiled: dict[object, _Compiled] = {}
_compiling = threading.Lock()
# Layers whose weight the user has declared frozen, by the weight.
_frozen: Any = WeakIdKeyDictionary()


def is_channels_last(x: Tensor) -> bool:
    """Whether channels stand last in memory, and not first as well."""
    memory_format = _CHANNELS_LAST.get(x.dim())
    return (memory_format is not None and not x.is_contiguous()
            and x.is_contiguous(memory_format=memory_format))


def output_shape(x: Tensor, weight: Tensor, stride: Sequence[int],
                 padding: Sequence[int], output_padding: Sequence[int],
                 dilation: Sequence[int], groups: int) -> list[int]:
    """N, Cout, and per dimension
    (I-1)*stride - 2*padding + dilation*(K-1) + output_padding + 1."""
    spatial = [(i - 1) * s - 2 * p + d * (k - 1) + more + 1
               for i, k, s, p, more, d in zip(
                   x.shape[2:], weight.shape[2:], stride, padding,
                   output_padding, dilation)]
    return [x.shape[0], weight.shape[1] * groups, *spatial]


def _last(x: Tensor) -> Tensor:
    """The view with channels last."""
    return x.permute(0, *range(2, x.dim()), 1)


def _first(y: Tensor) -> Tensor:
    """The view with channels first of one with channels last."""
    return y.permute(0, y.dim() - 1, *range(1, y.dim() - 1))


def _device_name(x: Tensor) -> str:
    if x.device.type == "cpu":
        return "cpu"
    if x.device.type != "cuda":
        raise ValueError(f"input is on {x.device}, must be on cpu or cuda")
    return f"cuda:{x.device.index}"


def _bundle_for(x: Tensor, weight: Tensor, bias: Tensor | None,
                attributes: tuple[Any, ...], layout: str) -> _Compiled:
    """Compiled the first time such a layer is seen in the process, if not in
    the cache on disk."""
    key = (x.device, x.dtype, tuple(x.shape), tuple(weight.shape),
           bias is None, attributes, layout)
    found = _compiled.get(key)
    if found is not None:
        return found
    stride, padding, output_padding, dilation, groups, precision = attributes
    layer = _layers.layer(
        input=tuple(x.shape), weight=tuple(weight.shape), dtype=x.dtype,
        bias=bias is not None, stride=stride, dilation=dilation,
        padding=padding, output_padding=output_padding, groups=groups,
        layout=layout, precision=precision)
    device = _device_name(x)
    with _compiling:
        if key not in _compiled:
            bundle = compile_layer(layer, chips=[chip_of(device)])
            _compiled[key] = _Compiled(bundle, bundle.packed_bytes(device))
    return _compiled[key]


def _is_capturing(x: Tensor) -> bool:
    return x.is_cuda and torch.cuda.is_current_stream_capturing()


def _prepare(compiled: _Compiled, weight: Tensor, bias: Tensor | None,
             wait: bool) -> PreparedLayer:
    """Packs on the current stream, into memory of torch's allocator."""
    packed = None
    if weight.is_cuda:
        packed = torch.empty(max(compiled.packed_bytes, 1), dtype=torch.uint8,
                             device=weight.device)
    return compiled.bundle.prepare(weight, bias, packed=packed, wait=wait)


def _frozen_layer(compiled: _Compiled, weight: Tensor,
                  bias: Tensor | None) -> PreparedLayer:
    """The layer of a frozen weight, packed again only if autograd's version
    counter says that it was changed in place."""
    dense = weight.detach().contiguous()
    added = None if bias is None else bias.detach().contiguous()
    if weight.is_inference():  # Changes of these are not counted.
        return _prepare(compiled, dense, added, wait=False)
    kept = _frozen.setdefault(weight, {})
    key = (id(compiled), id(bias))
    found: tuple[int, PreparedLayer, Tensor | None] | None = kept.get(key)
    if found is not None and found[0] == weight._version:
        return found[1]
    if _is_capturing(weight):
        # What a CUDA graph packs exists when it is replayed, not before.
        return _prepare(compiled, dense, added, wait=False)
    layer = _prepare(compiled, dense, added, wait=True)
    # The bias is kept with its layer, so that its id stays its own.
    kept[key] = weight._version, layer, bias
    return layer


@torch.library.custom_op("ctc::conv_transpose", mutates_args=())
def conv_transpose(x: Tensor, weight: Tensor, bias: Tensor | None,
                   stride: Sequence[int], padding: Sequence[int],
                   output_padding: Sequence[int], dilation: Sequence[int],
                   groups: int, precision: str, frozen: bool) -> Tensor:
    """Transposed convolution of (N, Cin, spatial...) with (Cin, Cout/groups,
    kernel...); the output has the input's memory format."""
    if weight.device != x.device or weight.dtype != x.dtype:
        raise ValueError(f"weight is {weight.dtype} on {weight.device}, must "
                         f"be {x.dtype} on {x.device} as the input is")
    last = is_channels_last(x)
    source = (_last(x) if last else x.contiguous()).detach()
    attributes = (tuple(stride), tuple(padding), tuple(output_padding),
                  tuple(dilation), groups, precision)
    compiled = _bundle_for(source, weight, bias, attributes,
                           "channels_last" if last else "channels_first")
    if frozen:
        layer = _frozen_layer(compiled, weight, bias)
    else:
        layer = _prepare(
            compiled, weight.detach().contiguous(),
            None if bias is None else bias.detach().contiguous(), wait=False)
    y = layer(source)
    return _first(y) if last else y


@conv_transpose.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
      padding: Sequence[int], output_padding: Sequence[int],
      dilation: Sequence[int], groups: int, precision: str,
      frozen: bool) -> Tensor:
    shape = output_shape(x, weight, stride, padding, output_padding, dilation,
                         groups)
    if is_channels_last(x):
        return _first(x.new_empty([shape[0], *shape[2:], shape[1]]))
    return x.new_empty(shape)


def _save(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    x, weight, bias, *attributes = inputs
    ctx.save_for_backward(x, weight)
    ctx.has_bias = bias is not None
    ctx.attributes = attributes


def _backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
    """PyTorch's own gradients of a transposed convolution."""
    x, weight = ctx.saved_tensors
    stride, padding, output_padding, dilation, groups, _, _ = ctx.attributes
    needs = [*ctx.needs_input_grad[:2],
             ctx.has_bias and ctx.needs_input_grad[2]]
    of_x, of_weight, of_bias = torch.ops.aten.convolution_backward(
        gradient, x, weight, [weight.shape[1] * groups], stride, padding,
        dilation, True, output_padding, groups, needs)
    return (of_x, of_weight, of_bias if needs[2] else None,
            None, None, None, None, None, None, None)


conv_transpose.register_autograd(_backward, setup_context=_save)
