#===- building.py - Sets up, configures and builds -------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""setup, build and format."""

from devtool import cuda, debian, python
from devtool.common import (BUILD, LLVM_BIN, ROOT, digest, is_done, mark_done,
                            output_of, run, say)

CONFIGURED = BUILD / ".configured"
CXX_SUFFIXES = (".h", ".cpp", ".c")


def setup():
    """Everything the build needs; returns the CUDA toolkit."""
    debian.setup()
    return cuda.setup()


def setup_all():
    """Everything the build and the tests need."""
    setup()
    python.setup()


def configure(toolkit):
    """Runs CMake when the presets or the toolkit changed; Ninja sees to the
    rest by itself."""
    wanted = digest((ROOT / "CMakePresets.json").read_text(), str(toolkit))
    if (BUILD / "build.ninja").is_file() and is_done(CONFIGURED, wanted):
        return
    run(["cmake", "--preset", "default", f"-DCTC_CUDA_TOOLKIT={toolkit}"])
    mark_done(CONFIGURED, wanted)


def build(targets=()):
    toolkit = setup()
    configure(toolkit)
    command = ["cmake", "--build", "--preset", "default"]
    if targets:
        command += ["--target", *targets]
    run(command)
    return toolkit


def build_python():
    """The build, then the Python package linked against it."""
    build()
    python.build()


def sources(suffixes):
    """The project's own files with these endings, tracked or new."""
    listed = output_of(["git", "ls-files", "--cached", "--others",
                        "--exclude-standard"])
    if listed is None:
        names = (str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if path.is_file() and BUILD not in path.parents)
    else:
        names = listed.splitlines()
    return sorted(name for name in names
                  if name.endswith(suffixes) and (ROOT / name).is_file())


def format_sources():
    files = sources(CXX_SUFFIXES)
    run([LLVM_BIN / "clang-format", "-i", *files])
    say(f"formatted {len(files)} files")
