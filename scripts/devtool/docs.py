#===- docs.py - Generates the reference documentation ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""docs: the reference of dialect and passes, from their .td files."""

from devtool import building
from devtool.common import BUILD, say


def docs():
    building.build(["ctc-docs"])
    pages = sorted((BUILD / "docs").rglob("*.md"))
    for page in pages:
        say(f"build/{page.relative_to(BUILD)}")
