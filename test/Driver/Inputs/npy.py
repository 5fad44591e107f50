#===- npy.py - A small .npy file -------------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""npy.py FILE SIZES [NUMBER]: writes float32 numbers of the given shape, all of
them NUMBER or small integers, without NumPy."""

import math
import struct
import sys

shape = [int(size) for size in sys.argv[2].split(",")]
header = ("{'descr': '<f4', 'fortran_order': False, 'shape': (%s,)}\n"
          % ", ".join(map(str, shape))).encode()
count = math.prod(shape)
with open(sys.argv[1], "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
    file.write(struct.pack("<%df" % count, *(
        float(sys.argv[3]) if len(sys.argv) > 3 else i % 7 - 3
        for i in range(count))))
