#===- python.py - The Python package and what it is tested with ------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""A virtual environment of the project with pinned packages, and in it the
wheel of python-bindings, linked against the build tree; the tests of both the
package and bench/peers run in it.

PyTorch comes with the CUDA libraries it needs to be imported, 4.6 GiB in all;
with CTC_NO_TORCH set it is left out, and its tests are skipped by name.
"""

import os
import sys

from devtool.common import (BUILD, CACHE, EXIT_SETUP, Failure, ROOT, digest,
                            is_done, mark_done, run, say)

SCRIPTS = ROOT / "scripts"
REQUIREMENTS = [SCRIPTS / "requirements-python.txt",
                SCRIPTS / "requirements-report.txt"]
TORCH_REQUIREMENTS = SCRIPTS / "requirements-torch.txt"
VENV = CACHE / "python"
STAMP = VENV / "installed"
PYTHON = VENV / "bin" / "python"
PACKAGE = ROOT / "python-bindings"
PEERS = ROOT / "bench" / "peers"
TREE = BUILD / "python" / "cmake"
WHEELS = BUILD / "python" / "wheels"


def requirements(env=os.environ):
    return REQUIREMENTS + ([] if env.get("CTC_NO_TORCH")
                           else [TORCH_REQUIREMENTS])


def setup():
    """The environment, made anew when its list of packages changed."""
    files = requirements()
    wanted = digest(sys.version, *(file.read_text() for file in files))
    if is_done(STAMP, wanted):
        return
    names = ", ".join(str(file.relative_to(ROOT)) for file in files)
    say(f"installing {names} into {VENV.relative_to(ROOT)}")
    run([sys.executable, "-m", "venv", "--clear", VENV])
    lists = [part for file in files for part in ("-r", file)]
    status = run([PYTHON, "-m", "pip", "install", "--quiet", "--no-deps",
                  "--disable-pip-version-check", "--only-binary", ":all:",
                  "--require-hashes", *lists], check=False)
    if status != 0:
        raise Failure(f"pip could not install the packages of {names}",
                      EXIT_SETUP)
    mark_done(STAMP, wanted)


def compilers():
    """The compilers and the linker of the default preset."""
    return {"CC": "clang-22", "CXX": "clang++-22",
            "LDFLAGS": "-fuse-ld=lld",
            "CMAKE_C_COMPILER_LAUNCHER": "ccache",
            "CMAKE_CXX_COMPILER_LAUNCHER": "ccache"}


def build():
    """The wheel, into build/python/wheels and into the environment."""
    setup()
    pip = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run([*pip, "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir",
         WHEELS, f"--config-settings=cmake.define.CTC_BUILD_TREE={BUILD}",
         f"--config-settings=build-dir={TREE}", PACKAGE],
        env=compilers())
    run([*pip, "install", "--no-deps", "--force-reinstall", "--no-index",
         "--find-links", WHEELS, "ctc"])


def test(jobs, report):
    """Runs the tests of the package; returns pytest's exit status."""
    return run([PYTHON, "-m", "pytest", "-q", "-n", jobs, "--dist", "loadfile",
                f"--junitxml={report}", PACKAGE / "tests"],
               cwd=PACKAGE, env={"CTC_BUILD_DIR": str(BUILD)}, check=False)


def test_peers(jobs, report):
    """Runs the tests of the harness that compares ctc with others."""
    return run([PYTHON, "-m", "pytest", "-q", "-n", jobs, "--dist", "loadfile",
                f"--junitxml={report}", PEERS / "tests"],
               cwd=PEERS, env={"CTC_BUILD_DIR": str(BUILD)}, check=False)
