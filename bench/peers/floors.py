#===- floors.py - The least time a layer can take ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The larger of bytes over memory bandwidth and multiply-adds over the unit's
rate; x, w and y count once each, and only in-range (input, tap) pairs.

The H200's rates were measured on one, the others are what vendors publish; a
figure made with them says so.
"""

import dataclasses

ELEMENT_BYTES = {"f32": 4, "f16": 2, "bf16": 2}

# What a precision stands for: (type of the elements, unit that multiplies).
PRECISIONS = {"tf32": ("f32", "tf32"), "tf32x3": ("f32", "tf32x3"),
              "ieee": ("f32", "f32"), "f16": ("f16", "16-bit"),
              "bf16": ("bf16", "16-bit")}


@dataclasses.dataclass(frozen=True)
class Rates:
    """Of a board: bytes and floating-point operations per second."""
    board: str
    source: str
    memory: float
    tf32: float
    sixteen: float
    f32: float

    def of_unit(self, unit):
        # tf32x3 multiplies three times on the tf32 unit.
        return {"tf32": self.tf32, "tf32x3": self.tf32 / 3, "f32": self.f32,
                "16-bit": self.sixteen}[unit]


MEASURED = "measured on an H200"
PUBLISHED = "published by the vendor, not measured"

# By compute capability. Published: datasheets of A100 80GB SXM, RTX A6000,
# L40S, HGX B200 and RTX PRO 6000 Blackwell, dense, sums in f32.
RATES = {
    (8, 0): Rates("A100", PUBLISHED, 2.039e12, 156e12, 312e12, 19.5e12),
    (8, 6): Rates("RTX A6000", PUBLISHED, 0.768e12, 77.4e12, 154.8e12, 38.7e12),
    (8, 9): Rates("L40S", PUBLISHED, 0.864e12, 183e12, 362e12, 91.6e12),
    (9, 0): Rates("H200", MEASURED, 4.3e12, 400e12, 790e12, 67e12),
    (10, 0): Rates("B200", PUBLISHED, 8e12, 1.1e15, 2.25e15, 74e12),
    (12, 0): Rates("RTX PRO 6000", PUBLISHED, 1.792e12, 252e12, 504e12, 126e12),
}


def rates_of(capability):
    """The rates for a compute capability (major, minor), or None."""
    return RATES.get(tuple(capability))


@dataclasses.dataclass(frozen=True)
class Floor:
    seconds: float
    bound: str  # "memory" or "compute".
    bytes: int
    macs: int


def floor_of(layer, precision, rates):
    """The floor of a layer, x, w and y moved once."""
    element, unit = PRECISIONS[precision]
    moved = sum(layer.elements()) * ELEMENT_BYTES[element]
    macs = layer.useful_macs()
    memory = moved / rates.memory
    compute = 2 * macs / rates.of_unit(unit)
    return Floor(max(memory, compute),
                 "compute" if compute > memory else "memory", moved, macs)
