#===- embedded.py - Compares embedded bytes with a bundle ------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""embedded.py source.c layer.ctcb: the array in the source is the file."""

import re
import sys

source, bundle = sys.argv[1:]
array = re.search(r"\[\] = \{([\d,\s]+)\}", open(source).read())[1]
if bytes(map(int, array.split(","))) != open(bundle, "rb").read():
    sys.exit(f"the bytes in {source} are not those of {bundle}")
