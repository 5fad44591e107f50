#===- sam_mask_decoder.py - Up-scaling in SAM's mask decoder ---------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The up-scaling of SAM's mask decoder ("Segment Anything", Kirillov et al.
2023): 256 channels on a 64 x 64 grid become 32 on 256 x 256, by two transposed
convolutions with kernel and stride 2, a layer norm over channels between them
and GELU behind each.

    python examples/python/sam_mask_decoder.py [GRID]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from backend import Backend, report
from upsampling import random_layer, summed


def layer_norm(backend: Backend, x: Any) -> Any:
    """Over channels, as SAM's LayerNorm2d with its weights 1 and 0."""
    if backend.torch is not None:
        mean = x.mean(1, keepdim=True)
        spread = ((x - mean) ** 2).mean(1, keepdim=True)
        return (x - mean) / (spread + 1e-6).sqrt()
    mean = x.mean(axis=1, keepdims=True)
    spread = ((x - mean) ** 2).mean(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(spread + 1e-6)


def gelu(backend: Backend, x: Any) -> Any:
    if backend.torch is not None:
        return backend.torch.nn.functional.gelu(x)
    from reference import ACTIVATIONS

    return ACTIVATIONS["gelu"].function(x).astype(np.float32)


def main(arguments: list[str]) -> int:
    backend = Backend()
    grid = int(arguments[0]) if arguments else (64 if backend.is_gpu else 16)
    rng = np.random.default_rng(0)
    first = random_layer(rng, backend, (256, 64, 2, 2), stride=2)
    # Nothing stands between the second layer and its GELU: it is fused.
    second = random_layer(rng, backend, (64, 32, 2, 2), stride=2,
                          activation="gelu")
    x = backend.array(rng.standard_normal((1, 256, grid, grid)))
    y = second(gelu(backend, layer_norm(backend, first(x))))
    print(f"SAM's up-scaling by {backend}: (1, 256, {grid}, {grid}) to "
          f"{tuple(y.shape)}")
    return report(*summed([first, second]))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
