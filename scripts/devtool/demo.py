#===- demo.py - The main job, end to end -----------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""demo: the first up-scaling layer of SAM's mask decoder, from MLIR to a
checked launch. Every command is shown before it runs, so that it can be
repeated by hand."""

import shlex

from devtool import building
from devtool.common import BUILD, run

SOURCE = "examples/sam_upscale.mlir"
BUNDLE = "build/demo/sam_upscale.ctcb"


def commands():
    """The steps, as a user would type them in the project's folder."""
    return [
        ["build/bin/ctc", "compile", SOURCE, "-o", BUNDLE,
         "--chip=sm_80,sm_90a"],
        ["build/bin/ctc", "inspect", BUNDLE],
        ["build/bin/ctc", "run", BUNDLE, "--device=auto", "--check"],
    ]


def demo():
    building.build(["ctc"])
    (BUILD / "demo").mkdir(exist_ok=True)
    for command in commands():
        print(f"\n$ {shlex.join(command)}", flush=True)
        run(command)
