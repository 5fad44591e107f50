#===- common.py - What every command of ./dev shares -----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Paths, running programs, and the one way a command fails."""

import hashlib
import os
import pathlib
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
CACHE = ROOT / ".cache"
LLVM_BIN = pathlib.Path("/usr/lib/llvm-22/bin")

EXIT_FAILED = 1  # A build, a test or a check failed.
EXIT_SETUP = 3  # Something needed is missing and could not be installed.


class Failure(Exception):
    """Ends a command: one clear message and the exit code."""

    def __init__(self, message, code=EXIT_FAILED):
        super().__init__(message)
        self.code = code


def say(message):
    print(f"dev: {message}", file=sys.stderr, flush=True)


def run(command, *, env=None, cwd=ROOT, check=True, quiet=False):
    """Runs a program. With `quiet` its output is kept and shown on failure.

    Returns the exit status; with `check` a status other than 0 is a Failure
    that shows the command to repeat.
    """
    command = [str(part) for part in command]
    full_env = {**os.environ, **(env or {})}
    result = subprocess.run(command, cwd=cwd, env=full_env, text=True,
                            stdout=subprocess.PIPE if quiet else None,
                            stderr=subprocess.STDOUT if quiet else None)
    if result.returncode != 0 and quiet:
        sys.stderr.write(result.stdout)
    if result.returncode != 0 and check:
        raise Failure(f"exit status {result.returncode} from: "
                      f"{shlex.join(command)}")
    return result.returncode


def output_of(command):
    """Standard output of a program, or None when it fails or is not there."""
    try:
        result = subprocess.run([str(part) for part in command], cwd=ROOT,
                                text=True, capture_output=True)
    except FileNotFoundError:
        return None
    return result.stdout if result.returncode == 0 else None


def digest(*texts):
    """Identifies contents; what was done for one digest is not done again."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def is_done(stamp, content):
    return stamp.is_file() and stamp.read_text() == content


def mark_done(stamp, content):
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(content)
