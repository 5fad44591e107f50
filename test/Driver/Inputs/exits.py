#===- exits.py - A command with its exit code ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""exits.py CODE COMMAND...: prints what the command prints, stderr included, and
fails unless it exits with CODE."""

import subprocess
import sys

done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE,
                      stderr=subprocess.STDOUT)
sys.stdout.buffer.write(done.stdout)
if done.returncode != int(sys.argv[1]):
    sys.exit(f"exits.py: exit code {done.returncode}, must be {sys.argv[1]}: "
             + " ".join(sys.argv[2:]))
