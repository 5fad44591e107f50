#===- _torch_ops.py - Transposed convolution as an operator of PyTorch -----===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The operator ctc::conv_transpose: its kernel, its fake, its gradients, and
the same without the dispatcher, which takes ten times as long as the kernel's
launch.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from ctc import _layers
from ctc._bundle import Bundle
from ctc._compile import chip_of, compile_layer
from ctc._runtime import PreparedLayer

_CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
_DTYPES = (torch.float32, torch.float16, torch.bfloat16)

#: Stride, padding, output padding, dilation: one value per spatial dimension;
#: groups; precision.
Attributes = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...],
                   tuple[int, ...], int, str]


@dataclass(frozen=True, eq=False)
class _Compiled:
    bundle: Bundle
    packed_bytes: int
    output: list[int]  #: N, Cout, spatial...


@dataclass
class _Frozen:
    """The layers of a weight that the user has declared frozen."""

    weight: weakref.ref[Tensor]
    #: By what was compiled and the bias: the weight's version, and the bias,
    #: kept so that its id stays its own.
    layers: dict[tuple[_Compiled, int],
                 tuple[int, PreparedLayer, Tensor | None]]


_compiled: dict[object, _Compiled] = {}
_compiling = threading.Lock()
_frozen: dict[int, _Frozen] = {}  # By the weight's id, while it lives.


def is_channels_last(x: Tensor) -> bool:
    """Whether channels stand last in memory, and not first as well."""
    if x.is_contiguous():
        return False
    memory_format = _CHANNELS_LAST.get(x.dim())
    return (memory_format is not None
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


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _check_types(x: Tensor, weight: Tensor) -> None:
    """The input is blamed: the weight is mostly a module's own."""
    if x.dtype != weight.dtype:
        raise TypeError(f"input has dtype {_name(x.dtype)}, must be "
                        f"{_name(weight.dtype)} as the weight has")
    if x.dtype not in _DTYPES:
        raise TypeError(f"input has dtype {_name(x.dtype)}, must be float32, "
                        "float16 or bfloat16")


def _check_devices(x: Tensor, weight: Tensor, bias: Tensor | None) -> None:
    for what, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.device != x.device:
            raise ValueError(f"{what} is on {other.device}, must be on "
                             f"{x.device}, where the input is")


def _check_shapes(x: Tensor, weight: Tensor) -> None:
    if x.dim() != weight.dim():
        raise ValueError(f"input has {x.dim()} dimensions, must have "
                         f"{weight.dim()} as the weight has")
    if x.shape[1] != weight.shape[0]:
        raise ValueError(f"input has {x.shape[1]} channels, must have the "
                         f"weight's {weight.shape[0]}")


def _wrong_layout(*tensors: Tensor | None) -> ValueError | None:
    """What to say of a sparse tensor, whose elements have no one place."""
    for what, tensor in zip(("input", "weight", "bias"), tensors):
        if tensor is not None and tensor.layout is not torch.strided:
            return ValueError(f"{what} has layout {tensor.layout}, must have "
                              f"{torch.strided}")
    return None


def _bundle_for(x: Tensor, source: Tensor, weight: Tensor,
                bias: Tensor | None, attributes: Attributes,
                layout: str) -> _Compiled:
    """Compiled the first time such a layer is seen in the process, if not in
    the cache on disk. `source` is x as it lies in memory."""
    key = (x.device, x.dtype, x.shape, weight.shape, bias is None, attributes,
           layout)
    found = _compiled.get(key)
    if found is not None:
        return found
    _check_types(x, weight)
    _check_shapes(x, weight)
    stride, padding, output_padding, dilation, groups, precision = attributes
    output = output_shape(x, weight, stride, padding, output_padding, dilation,
                          groups)
    layer = _layers.layer(
        input=tuple(source.shape), weight=tuple(weight.shape), dtype=x.dtype,
        bias=bias is not None, stride=stride, dilation=dilation,
        padding=padding, output_padding=output_padding, groups=groups,
        layout=layout, precision=precision)
    device = _device_name(x)
    with _compiling:
        if key not in _compiled:
            bundle = compile_layer(layer, chips=[chip_of(device)])
            _compiled[key] = _Compiled(
                bundle, bundle.packed_bytes(device), output)
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


def _dense(tensor: Tensor) -> Tensor:
    """What a launch outside autograd takes."""
    plain = tensor.detach() if tensor.requires_grad else tensor
    return plain if plain.is_contiguous() else plain.contiguous()


def _pack(compiled: _Compiled, weight: Tensor, bias: Tensor | None,
          wait: bool) -> PreparedLayer:
    return _prepare(compiled, _dense(weight),
                    None if bias is None else _dense(bias), wait)


def _frozen_layer(compiled: _Compiled, weight: Tensor,
                  bias: Tensor | None) -> PreparedLayer:
    """The layer of a frozen weight, packed again only if autograd's version
    counter says that it was changed in place."""
    if weight.is_inference():  # Changes of these are not counted.
        return _pack(compiled, weight, bias, wait=False)
    number = id(weight)
    kept = _frozen.get(number)
    if kept is None or kept.weight() is not weight:
        kept = _frozen[number] = _Frozen(weakref.ref(
            weight, lambda _: _frozen.pop(number, None)), {})
    key = (compiled, id(bias))
    found = kept.layers.get(key)
    if found is not None and found[0] == weight._version:
        return found[1]
    if _is_capturing(weight):
        # What a CUDA graph packs exists when it is replayed, not before.
        return _pack(compiled, weight, bias, wait=False)
    layer = _pack(compiled, weight, bias, wait=True)
    kept.layers[key] = weight._version, layer, bias
    return layer


def _run(x: Tensor, weight: Tensor, bias: Tensor | None,
         attributes: Attributes, frozen: bool) -> Tensor:
    """The operator's kernel, below autograd."""
    try:
        if weight.device != x.device or weight.dtype != x.dtype:
            _check_types(x, weight)
            _check_devices(x, weight, bias)
        last = is_channels_last(x)
        source = _dense(_last(x) if last else x)
        compiled = _bundle_for(x, source, weight, bias, attributes,
                               "channels_last" if last else "channels_first")
        layer = (_frozen_layer(compiled, weight, bias) if frozen
                 else _pack(compiled, weight, bias, wait=False))
        if not last:
            return layer(source)
        # A view of what the layer makes would be a view to autograd as well.
        y = torch.empty(compiled.output, dtype=x.dtype, device=x.device,
                        memory_format=_CHANNELS_LAST[x.dim()])
        layer(source, out=_last(y))
        return y
    except RuntimeError:
        # Looked at now and not at every call.
        wrong = _wrong_layout(x, weight, bias)
        if wrong is None:
            raise
        raise wrong from None


@torch.library.custom_op("ctc::conv_transpose", mutates_args=())
def conv_transpose(x: Tensor, weight: Tensor, bias: Tensor | None,
                   stride: Sequence[int], padding: Sequence[int],
                   output_padding: Sequence[int], dilation: Sequence[int],
                   groups: int, precision: str, frozen: bool) -> Tensor:
    """Transposed convolution of (N, Cin, spatial...) with (Cin, Cout/groups,
    kernel...); the output has the input's memory format."""
    return _run(x, weight, bias,
                (tuple(stride), tuple(padding), tuple(output_padding),
                 tuple(dilation), groups, precision), frozen)


@conv_transpose.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, stride: Sequence[int],
      padding: Sequence[int], output_padding: Sequence[int],
      dilation: Sequence[int], groups: int, precision: str,
      frozen: bool) -> Tensor:
    _check_types(x, weight)
    _check_shapes(x, weight)
    if x.device.type != "meta":
        # PyTorch asks here for meta tensors as well, and an output on another
        # device would be memory that nobody wrote.
        _check_devices(x, weight, bias)
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
    return _gradients(ctx, gradient, *ctx.attributes[:5]) + (None,) * 7


def _gradients(ctx: Any, gradient: Tensor, stride: Sequence[int],
               padding: Sequence[int], output_padding: Sequence[int],
               dilation: Sequence[int], groups: int) -> tuple[Any, ...]:
    x, weight = ctx.saved_tensors
    needs = [*ctx.needs_input_grad[:2],
             ctx.has_bias and ctx.needs_input_grad[2]]
    of_x, of_weight, of_bias = torch.ops.aten.convolution_backward(
        gradient, x, weight, [weight.shape[1] * groups], stride, padding,
        dilation, True, output_padding, groups, needs)
    return of_x, of_weight, of_bias if needs[2] else None


conv_transpose.register_autograd(_backward, setup_context=_save)


# -- Without the dispatcher --------------------------------------------------

_PLAIN = frozenset({Tensor, torch.nn.Parameter})
_below_autograd: Any = torch._C._AutoDispatchBelowAutograd


def _is_plain(tensor: Tensor) -> bool:
    return (type(tensor) in _PLAIN and (tensor.is_cuda or tensor.is_cpu)
            and not tensor.is_neg())


def _has_only_the_kernel_to_run(x: Tensor, weight: Tensor,
                                bias: Tensor | None) -> bool:
    """Whether nothing but autograd comes between a call and the kernel: no
    compiler, export or tracer, no mode, transform, tangents, profiler or
    subclass that is to see the operator."""
    # Answered while tracing, so first.
    return (not torch.compiler.is_compiling()
            and torch._C._len_torch_dispatch_stack() == 0
            and torch._C._len_torch_function_stack() == 0
            and not torch._C._are_functorch_transforms_active()
            and torch._C._get_tracing_state() is None
            and forward_ad._current_level < 0
            and not torch._C._autograd._profiler_enabled()
            and _is_plain(x) and _is_plain(weight)
            and (bias is None or _is_plain(bias)))


class _Convolution(torch.autograd.Function):
    """The operator's gradients, for calls without the dispatcher. `forward`
    saves, since PyTorch takes 20 microseconds to call a `setup_context`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None,
                attributes: Attributes, frozen: bool) -> Tensor:
        with _below_autograd():
            y = _run(x, weight, bias, attributes, frozen)
        _save(ctx, (x, weight, bias, *attributes, frozen), y)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Any, ...]:
        return _gradients(ctx, gradient, *ctx.attributes[:5]) + (None, None)


_apply: Any = _Convolution.apply


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None,
             attributes: Attributes, frozen: bool) -> Tensor:
    """The operator, or the same by a shorter way where nobody can tell."""
    result: Tensor
    if not _has_only_the_kernel_to_run(x, weight, bias):
        result = conv_transpose(x, weight, bias, *attributes, frozen)
    elif torch.is_grad_enabled() and (
            x.requires_grad or weight.requires_grad
            or (bias is not None and bias.requires_grad)):
        result = _apply(x, weight, bias, attributes, frozen)
    else:
        with _below_autograd():
            result = _run(x, weight, bias, attributes, frozen)
    return result
