#===- linting.py - Checks that need no build -------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""lint: formatting, the rules of the house, and clang-tidy."""

import sys

from devtool import building, python
from devtool.common import BUILD, Failure, LLVM_BIN, ROOT, output_of, run, say

TIDY_SUFFIXES = (".cpp",)


def check_format():
    return run([LLVM_BIN / "clang-format", "--dry-run", "-Werror",
                *building.sources(building.CXX_SUFFIXES)], check=False)


def check_architecture():
    return run([sys.executable, ROOT / "test/architecture/rules.py", ROOT],
               check=False)


def check_python():
    """Every script compiles, without a byte of cache left behind."""
    status = 0
    for name in building.sources((".py",)):
        try:
            compile((ROOT / name).read_text(), name, "exec")
        except SyntaxError as error:
            say(f"{name}:{error.lineno}: {error.msg}")
            status = 1
    return status


def changed_since(base):
    """Files that differ from `base` in the working tree, or None when git
    cannot tell."""
    changed = output_of(["git", "diff", "--name-only", base])
    fresh = output_of(["git", "ls-files", "--others", "--exclude-standard"])
    if changed is None or fresh is None:
        return None
    return set(changed.splitlines()) | set(fresh.splitlines())


def run_tidy(tree, files):
    """clang-tidy with the compile commands of a build tree."""
    if not files:
        return 0
    return run([LLVM_BIN / "run-clang-tidy", "-quiet", "-p", tree,
                "-clang-tidy-binary", LLVM_BIN / "clang-tidy",
                *(f"^{ROOT / name}$" for name in files)], check=False)


def check_tidy(base):
    """clang-tidy over the sources that changed since `base`, or over all."""
    files = building.sources(TIDY_SUFFIXES)
    if base is not None:
        changed = changed_since(base)
        if changed is None:
            raise Failure(f"git does not know the revision '{base}'")
        files = [name for name in files if name in changed]
    say(f"clang-tidy over {len(files)} files" +
        (f" changed since {base}" if base else ""))
    if not files:
        return 0
    building.build()
    bindings = [name for name in files if (ROOT / name).is_relative_to(
        python.PACKAGE)]
    status = run_tidy(BUILD, [name for name in files if name not in bindings])
    if bindings:
        python.build()
        status |= run_tidy(python.TREE, bindings)
    return status


def lint(base):
    building.setup()
    failed = [name for name, status in (
        ("formatting (./dev format mends it)", check_format()),
        ("architecture", check_architecture()),
        ("python", check_python()),
        ("clang-tidy", check_tidy(base))) if status != 0]
    if failed:
        raise Failure("lint failed: " + ", ".join(failed))
    say("lint: nothing found")
