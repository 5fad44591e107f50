#===- floors.py - The least time a layer can take ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The larger of bytes over memory bandwidth and multiply-adds over the unit's
rate; x, w and y count once each, and only in-range (input, tap) pairs.

The H200's rates were measured on one, the others are what vendors publish; the
head of the results says which.
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


# By compute capability, what vendors publish: (board, multiprocessors, clock,
# clock of the matrix units, bytes per second, multiply-adds in a clock of a
# multiprocessor in f32, tf32 and 16 bits). The numbers of lib/Chips/Chips.cpp;
# a test holds them together.
BOARDS = {
    (8, 0): ("A100", 108, 1.41e9, 1.41e9, 2.039e12, 64, 512, 1024),
    (8, 6): ("RTX A6000", 84, 1.8e9, 1.8e9, 0.768e12, 128, 256, 512),
    (8, 9): ("L40S", 142, 2.52e9, 2.52e9, 0.864e12, 128, 256, 512),
    (9, 0): ("H200", 132, 1.98e9, 1.83e9, 4.8e12, 128, 1024, 2048),
    (10, 0): ("B200", 148, 1.965e9, 1.85e9, 8e12, 128, 2048, 4096),
    (12, 0): ("RTX PRO 6000", 188, 2.617e9, 2.617e9, 1.792e12, 128, 256, 512),
}

MEASURED_H200 = Rates("H200", "measured on an H200", 4.3e12, 400e12, 790e12,
                      67e12)


def rates_of(capability, gpu=""):
    """The rates for a compute capability (major, minor) and the GPU's name, or
    None. Measured for an H200, else what is published of one board."""
    board = BOARDS.get(tuple(capability))
    if board is None:
        return None
    if "H200" in gpu:
        return MEASURED_H200
    name, count, clock, matrix_clock, memory, f32, tf32, sixteen = board
    matrix = 2 * count * matrix_clock
    return Rates(name, f"published for the {name}, not measured", memory,
                 tf32 * matrix, sixteen * matrix, 2 * f32 * count * clock)


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
