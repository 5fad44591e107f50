#===- torch.py - Drop-in modules for PyTorch -------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""ConvTranspose1d, 2d and 3d for PyTorch, run by ctc.

    model = ctc.torch.convert(model)

The modules are torch.nn's with another forward: the same constructor,
parameters, state_dict, hooks and `output_size=`. A layer is compiled the first
time it sees a shape, once per device; later it comes from the cache. Gradients
are PyTorch's own, so training works, and torch.compile and torch.export keep
the operator `torch.ops.ctc.conv_transpose` as it is.

Inputs are float32, float16 or bfloat16, on a GPU or on the host, where the PTX
machine executes the kernel; on the meta device outputs have shapes and no
elements, as PyTorch's have. An input in torch.channels_last gives an output in
torch.channels_last; any other is made contiguous, as PyTorch's modules do.
"""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ctc import _checks, _layers
from ctc._torch_ops import convolve as _convolve

__all__ = ["ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", "convert",
           "conv_transpose"]

_Module = TypeVar("_Module", bound=nn.Module)


def conv_transpose(input: Tensor, weight: Tensor, bias: Tensor | None = None,
                   stride: _layers.PerDimension = 1,
                   padding: _layers.PerDimension = 0,
                   output_padding: _layers.PerDimension = 0, groups: int = 1,
                   dilation: _layers.PerDimension = 1, *,
                   precision: str = "tf32", frozen: bool = False) -> Tensor:
    """As torch.nn.functional.conv_transpose1d, 2d and 3d, by the input's rank.

    input: (N, Cin, spatial...) with 1 to 3 spatial sizes.
    weight: (Cin, Cout/groups, kernel...), bias: (Cout,).
    stride, padding, output_padding, dilation: one value, or one per dimension.
    precision: how float32 is multiplied: "tf32", "tf32x3" or "ieee".
    frozen: promises that the weight changes only where autograd counts it (not
        through `.data`), so that it is packed once and not at every call.

    Raises `ValueError` and `TypeError` for what is not legal, `ctc.CompileError`
    for a layer that does not compile.
    """
    rank = input.dim() - 2
    if not 1 <= rank <= 3:
        raise ValueError(f"input has {input.dim()} dimensions, must have 3 to "
                         "5: batch, channels and 1 to 3 spatial sizes")
    _layers.choice("precision", precision, _layers.PRECISIONS)

    def each(what: str, value: _layers.PerDimension) -> tuple[int, ...]:
        return _layers.per_dimension(what, value, rank)

    return _convolve(
        input, weight, bias,
        (each("stride", stride), each("padding", padding),
         each("output_padding", output_padding), each("dilation", dilation),
         groups, precision), frozen)


class _ConvTranspose(nn.modules.conv._ConvTransposeNd):
    """What the modules of all ranks add to torch.nn's."""

    #: How float32 is multiplied: "tf32", "tf32x3" or "ieee".
    precision: str = "tf32"
    #: Whether the weight is packed once; see `conv_transpose`.
    frozen: bool = False

    def forward(self, input: Tensor,
                output_size: list[int] | None = None) -> Tensor:
        """(N, Cin, spatial...) or (Cin, spatial...) to the same with Cout."""
        rank = len(self.kernel_size)
        if input.dim() not in (rank + 1, rank + 2):
            raise ValueError(f"input has {input.dim()} dimensions, must have "
                             f"{rank + 1} or {rank + 2}")
        # torch.nn says list[int] for what it keeps as tuples.
        stride: Any = self.stride
        padding: Any = self.padding
        output_padding: Any = self.output_padding
        if output_size is not None:
            kernel: Any = self.kernel_size
            output_padding = tuple(self._output_padding(
                input, output_size, stride, padding, kernel, rank,
                list(self.dilation)))
        x, weight, bias = _autocast(input, self.weight, self.bias)
        is_batched = input.dim() == rank + 2
        # The constructor has checked them.
        attributes = (stride, padding, output_padding, self.dilation,
                      self.groups, self.precision)
        y = _convolve(x if is_batched else x.unsqueeze(0), weight, bias,
                      attributes, self.frozen)
        return y if is_batched else y.squeeze(0)


def _autocast(x: Tensor, *others: Tensor | None) -> Any:
    """Casts as autocast casts the inputs of PyTorch's convolutions."""
    device = x.device.type
    # PyTorch raises for a device that autocast does not know ("meta").
    if device not in ("cpu", "cuda") or not torch.is_autocast_enabled(device):
        return x, *others
    dtype = torch.get_autocast_dtype(device)
    return tuple(one if one is None or not one.is_floating_point()
                 else one.to(dtype) for one in (x, *others))


class ConvTranspose1d(_ConvTranspose, nn.ConvTranspose1d):
    """torch.nn.ConvTranspose1d, run by ctc."""


class ConvTranspose2d(_ConvTranspose, nn.ConvTranspose2d):
    """torch.nn.ConvTranspose2d, run by ctc."""


class ConvTranspose3d(_ConvTranspose, nn.ConvTranspose3d):
    """torch.nn.ConvTranspose3d, run by ctc."""


_OURS: dict[type[nn.Module], type[_ConvTranspose]] = {
    nn.ConvTranspose1d: ConvTranspose1d,
    nn.ConvTranspose2d: ConvTranspose2d,
    nn.ConvTranspose3d: ConvTranspose3d,
}


def _replaced_class(module: nn.Module) -> type | None:
    """The class to give a module, or None to leave it."""
    if not parametrize.is_parametrized(module):
        return _OURS.get(type(module))
    # A parametrized module (weight norm) has a class of its own, below the one
    # it had, with a property for each tensor.
    base = _OURS.get(parametrize.type_before_parametrizations(module))
    if base is None:
        return None
    own = {name: value for name, value in vars(type(module)).items()
           if name not in ("__dict__", "__weakref__")}
    return type(type(module).__name__, (base,), own)


def convert(model: _Module, *, precision: str = "tf32",
            frozen: bool = False) -> _Module:
    """Lets ctc run every ConvTranspose1d, 2d and 3d of a model, in place.

    The modules stay the objects they are, with their parameters, hooks and
    parametrizations (weight norm). Subclasses of a model's own, and lazy
    modules that have not seen an input, are left as they are.

    precision, frozen: as for `conv_transpose`.

    Returns the model. Raises `TypeError` for what is no module or no flag and
    `ValueError` for another precision.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is a {type(model).__name__}, must be a "
                        "torch.nn.Module")
    _layers.choice("precision", precision, _layers.PRECISIONS)
    _checks.require(frozen=(frozen, _checks.FLAG))
    for module in model.modules():
        replaced = _replaced_class(module)
        if replaced is not None:
            module.__class__ = replaced
        if isinstance(module, _ConvTranspose):
            module.precision = precision
            module.frozen = frozen
    return model
