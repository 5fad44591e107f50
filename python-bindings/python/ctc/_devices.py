#===- _devices.py - What there is to run on --------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Devices and chips."""

from __future__ import annotations

from dataclasses import dataclass

from ctc import _checks, _runtime


@dataclass(frozen=True)
class Device:
    """A GPU, or the PTX machine, which executes PTX on the host."""

    device: str  #: "cuda:0" or "cpu"
    name: str  #: "NVIDIA H200", "PTX machine"
    compute_capability: tuple[int, int] | None  #: None on the cpu device.
    reason: str  #: Why "auto" took it, one sentence; else "".

    @property
    def chip(self) -> str | None:
        """The chip to compile for, or None where any will do (the cpu device)
        or none runs."""
        if self.compute_capability is None:
            return None
        return _runtime.chip_for(*self.compute_capability)


def device(name: str = "auto") -> Device:
    """Opens a device: "cuda", "cuda:N", "cpu", or "auto", cuda where there is
    one and else cpu.

    Raises `ValueError` for another name, `TypeError` for what is no string,
    and `ctc.NoDeviceError` where there is no such GPU.
    """
    if not isinstance(name, str):
        raise TypeError(f"device is {_checks.shown(name)}, must be \"cuda\", "
                        "\"cuda:N\", \"cpu\" or \"auto\"")
    return Device(**_runtime.device_info(name))


def chips() -> list[str]:
    """The chips ctc compiles for: ["sm_80", "sm_86", ...]."""
    return _runtime.chips()
