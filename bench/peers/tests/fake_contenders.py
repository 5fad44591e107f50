#===- fake_contenders.py - Contenders that misbehave ------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What measure.py --fakes loads for its peers fake:*."""

import os
import time

import contenders
import torch


class Fake(contenders.Eager):
    """PyTorch, with something wrong."""

    def __init__(self, name):
        self.name = name

    def bind(self, case, layout, variant, cache_bytes):
        kind = self.name.split(":")[1]
        if kind == "missing":
            raise contenders.Missing("is not installed")
        if kind == "memory":
            raise torch.OutOfMemoryError("tried to allocate 1 TiB")
        if kind == "error":
            raise RuntimeError("this and\nthat")
        if kind == "crash":
            os._exit(9)
        if kind == "hang":
            time.sleep(1000)
        bound = super().bind(case, layout, variant, cache_bytes)
        if kind == "wrong":
            right = bound.after
            bound.after = lambda y: right(y) + 1
        return bound


def make(name):
    return Fake(name)
