#===- unwritable.py - A command whose output is lost -----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""unwritable.py CODE COMMAND...: runs the command with a full and with a closed
standard output; fails unless it says so once, in one line, and exits with CODE.
What else the command has to say is printed."""

import os
import subprocess
import sys

WANTED = {"full": "ctc: error: cannot write standard output: No space left on "
                  "device",
          "closed": "ctc: error: cannot write standard output: Bad file "
                    "descriptor"}

code, command = int(sys.argv[1]), sys.argv[2:]
for kind, wanted in WANTED.items():
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command, stderr=subprocess.PIPE, text=True,
            stdout=full if kind == "full" else None,
            preexec_fn=(lambda: os.close(1)) if kind == "closed" else None)
    lines = done.stderr.splitlines()
    if done.returncode != code or lines.count(wanted) != 1:
        sys.exit(f"unwritable.py: {kind}: exit code {done.returncode}, must be "
                 f"{code} and say '{wanted}': {' '.join(command)}\n"
                 f"{done.stderr}")
    print("\n".join(line for line in lines if line != wanted))
