#===- hifigan.py - HiFi-GAN's up-sampler -----------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The up-sampling layers of HiFi-GAN's generator V1 (Kong et al. 2020): frames
of 512 channels become 256 samples each by transposed convolutions with strides
8, 8, 2 and 2. The residual blocks between them are left out; the leaky ReLU
before the next layer is fused into the one before it.

    python examples/python/hifigan.py [FRAMES]
"""

from __future__ import annotations

import sys

import numpy as np
from backend import Backend, report
from upsampling import random_layer, summed

# Kernel and stride of upsample_kernel_sizes and upsample_rates in V1.
STEPS = [(16, 8), (16, 8), (4, 2), (4, 2)]


def main(arguments: list[str]) -> int:
    backend = Backend()
    frames = int(arguments[0]) if arguments else (128 if backend.is_gpu else 4)
    rng = np.random.default_rng(3)
    layers = [
        random_layer(rng, backend, (512 >> i, 256 >> i, kernel), stride=stride,
                     padding=(kernel - stride) // 2,
                     activation="leaky_relu:0.1")
        for i, (kernel, stride) in enumerate(STEPS)]
    x = backend.array(rng.standard_normal((1, 512, frames)))
    for layer in layers:
        x = layer(x)
    assert tuple(x.shape) == (1, 32, 256 * frames)
    print(f"HiFi-GAN's up-sampler by {backend}: {frames} frames to "
          f"{x.shape[2]} samples of {x.shape[1]} channels")
    return report(*summed(layers))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
