#===- examples.py - Finds and checks the examples of a page ----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Examples in Markdown that are run: fenced blocks marked `test`.

A block ```console test holds commands behind `$ ` and what they print; a
command goes on while its lines end in a backslash. A block ```python test holds
an interactive session. In both, `...` in the output stands for anything. A block
```mlir test begins with `// $ command`; each of its lines must stand in the
command's output, in this order, with whatever names its values have. All
blocks of a page run in order: console blocks share a folder, python blocks
their names. A command that is to fail ends in `; echo "exit $?"`, since an
exit status other than 0 is a failure of the example.
"""

import difflib
import doctest
import pathlib
import re
import subprocess
from dataclasses import dataclass

FENCE = re.compile(r"^```(\w+) test[ ]*\n(.*?)^```[ ]*$", re.M | re.S)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    language: str
    line: int  # Of the first line inside the fence, from 1.
    text: str


def blocks(text):
    return [Block(match[1], text.count("\n", 0, match.start(2)) + 1, match[2])
            for match in FENCE.finditer(text)]


def commands(text):
    """Pairs (command, expected output) of a console block."""
    pairs, going_on = [], False
    for line in text.splitlines(keepends=True):
        if going_on:
            pairs[-1][0] += line
        elif line.startswith("$ "):
            pairs.append([line[2:], ""])
        elif pairs:
            pairs[-1][1] += line
        else:
            raise ValueError(f"output before the first command: {line!r}")
        going_on = (going_on or line.startswith("$ ")) and line.endswith("\\\n")
    return [tuple(pair) for pair in pairs]


def differences(want, got):
    """Empty when `got` is what the page promises, else lines to show."""
    if doctest.OutputChecker().check_output(want, got, OPTIONS):
        return ""
    return "".join(difflib.unified_diff(
        want.splitlines(keepends=True), got.splitlines(keepends=True),
        "the page", "the command"))


def run_console(block, folder):
    """Runs a block; returns a description of the first mismatch, or ''."""
    for command, want in commands(block.text):
        result = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
        if result.returncode != 0:
            return (f"exit status {result.returncode} from: {command}"
                    f"{result.stdout}")
        mismatch = differences(want, result.stdout)
        if mismatch:
            return f"{command}{mismatch}"
    return ""


def run_python(block, names):
    """Runs a session in `names`; returns the report of mismatches, or ''."""
    test = doctest.DocTestParser().get_doctest(block.text, names, "example",
                                               None, block.line - 1)
    report = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    return "".join(report)


def pattern_of(line):
    """A line of IR as a pattern: names of values and `...` match anything."""
    pieces = re.split(r"(%[\w#]+|\.\.\.)", line.strip())
    return "".join(r"%[\w#]+" if piece.startswith("%") else ".*"
                   if piece == "..." else re.escape(piece) for piece in pieces)


def run_mlir(block, folder):
    """Runs a block; returns the first line that is not there, or ''."""
    first, *lines = block.text.splitlines()
    command = first.removeprefix("// $ ")
    result = subprocess.run(["bash", "-c", command], cwd=folder, text=True,
                            capture_output=True)
    if command == first or result.returncode != 0:
        return f"exit status {result.returncode} from: {command}\n{result.stderr}"
    produced = iter(result.stdout.splitlines())
    for line in lines:
        pattern = pattern_of(line)
        if not any(re.search(pattern, candidate) for candidate in produced):
            return f"not in the output of {command}, in this order: {line}\n"
    return ""


def scratch(root, build, folder):
    """Makes `folder` look like the project's, so that pages can say
    build/bin/ctc and examples/, and what commands write stays in it."""
    for entry in root.iterdir():
        if entry.name not in ("build", ".git", ".cache"):
            pathlib.Path(folder, entry.name).symlink_to(entry)
    pathlib.Path(folder, "build").symlink_to(build)
