#===- dcgan.py - A DCGAN generator -----------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The generator of DCGAN (Radford et al. 2015): 100 random numbers become a
64 x 64 picture by five transposed convolutions with kernel 4. Batch
normalisation is folded into the weights, ReLU and tanh are fused.

    python examples/python/dcgan.py [WIDTH]
"""

from __future__ import annotations

import sys

import numpy as np
from backend import Backend, report
from upsampling import UpsamplingLayer, random_layer, summed


def generator(backend: Backend, width: int) -> list[UpsamplingLayer]:
    """`width` is the channel count before the picture's three."""
    rng = np.random.default_rng(1)
    channels = [100, 8 * width, 4 * width, 2 * width, width, 3]
    layers = []
    for index, (cin, cout) in enumerate(zip(channels, channels[1:])):
        is_last = index == 4
        # gamma / sqrt(variance) of the folded normalisation.
        scale = rng.uniform(0.5, 1.5, cout).astype(np.float32)
        layers.append(random_layer(
            rng, backend, (cin, cout, 4, 4), stride=1 if index == 0 else 2,
            padding=0 if index == 0 else 1,
            activation="tanh" if is_last else "relu",
            scale=None if is_last else scale))
    return layers


def main(arguments: list[str]) -> int:
    backend = Backend()
    width = int(arguments[0]) if arguments else (64 if backend.is_gpu else 8)
    layers = generator(backend, width)
    x = backend.array(np.random.default_rng(2).standard_normal((2, 100, 1, 1)))
    for layer in layers:
        x = layer(x)
    print(f"DCGAN by {backend}: two pictures of {tuple(x.shape[1:])}")
    return report(*summed(layers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
