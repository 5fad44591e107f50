#===- json_text.py - JSON from files of others ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Python's parser calls itself for every level of nesting, and what ends it on
a file of nothing but brackets is no ValueError. Files are read through here."""

import json


def parse(text):
    """The value of a text. Raises ValueError."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deep to be read") from None
