#===- summary.py - Statistics of timed samples ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Medians and quartiles of samples, means of ratios; the standard library's
`statistics` under the names a table has."""

import math
import statistics


def summarize(samples):
    """median, quartiles and least of some numbers (quartiles by linear
    interpolation between the closest ranks)."""
    ordered = sorted(samples)
    if not ordered:
        raise ValueError("no samples")
    if len(ordered) == 1:
        low = high = ordered[0]
    else:
        low, _, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return {"median": statistics.median(ordered), "q1": low, "q3": high,
            "min": ordered[0], "samples": len(ordered)}


def geometric_mean(ratios):
    """None for no ratios; all of them above 0."""
    ratios = list(ratios)
    if not ratios:
        return None
    return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
