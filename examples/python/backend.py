#===- backend.py - Where an example computes -------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""PyTorch tensors on a GPU where there are both, NumPy arrays on the cpu device
otherwise; the same example runs on either."""

from __future__ import annotations

import importlib.util
from typing import Any

import ctc
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


class Backend:
    """Makes arrays and brings them back."""

    def __init__(self) -> None:
        self.device = "cpu"
        self.torch: Any = None
        if importlib.util.find_spec("torch") is not None:
            import torch

            if torch.cuda.is_available():
                self.torch, self.device = torch, "cuda"

    @property
    def is_gpu(self) -> bool:
        return self.device == "cuda"

    @property
    def chip(self) -> str:
        """The chip to compile for; the cpu device executes any chip's PTX."""
        return ctc.chip_of(self.device)

    def array(self, values: npt.NDArray[Any]) -> Any:
        floats = values.astype(np.float32)
        if self.torch is None:
            return floats
        return self.torch.from_numpy(floats).to(self.device)

    def numpy(self, array: Any) -> Floats:
        if self.torch is None:
            return np.asarray(array)
        return np.asarray(array.cpu().numpy())

    def __str__(self) -> str:
        found = ctc.device(self.device)
        kind = "PyTorch" if self.is_gpu else "NumPy"
        return f"{kind} on {found.device} ({found.name})"


def report(wrong: int, total: int) -> int:
    """Prints the check; returns the exit status."""
    print(f"check: {wrong} of {total} outputs wrong")
    return 1 if wrong else 0
