#===- cuda.py - Finds or installs ptxas and libdevice ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The CUDA tools: a toolkit on the machine, else pinned Python packages.

A toolkit is a directory with bin/ptxas and nvvm/libdevice/libdevice.10.bc.
`python3 -m devtool.cuda` prints the one found, or nothing; CMake asks so.
With CTC_NO_SYSTEM_CUDA set, toolkits of the machine are passed over.
"""

import os
import pathlib
import shutil
import sys

from devtool.common import (CACHE, EXIT_SETUP, Failure, ROOT, digest, is_done,
                            mark_done, run, say)

REQUIREMENTS = ROOT / "scripts" / "requirements-cuda.txt"
VENV = CACHE / "cuda"
STAMP = VENV / "installed"


def is_toolkit(folder):
    return (os.access(folder / "bin" / "ptxas", os.X_OK)
            and (folder / "nvvm" / "libdevice" / "libdevice.10.bc").is_file())


def system_candidates(env):
    """Where a toolkit of the machine may be, the most explicit first."""
    if env.get("CTC_CUDA_TOOLKIT"):
        yield pathlib.Path(env["CTC_CUDA_TOOLKIT"])
    if env.get("CTC_NO_SYSTEM_CUDA"):
        return
    for name in ("CUDA_HOME", "CUDA_PATH"):
        if env.get(name):
            yield pathlib.Path(env[name])
    ptxas = shutil.which("ptxas", path=env.get("PATH"))
    if ptxas:
        yield pathlib.Path(ptxas).resolve().parents[1]
    yield pathlib.Path("/usr/local/cuda")


def project_candidates():
    """Where the Python packages put theirs."""
    yield from sorted(VENV.glob("lib/python3*/site-packages/nvidia/cu*"))


def find(env=os.environ):
    """The toolkit to use, or None."""
    for folder in (*system_candidates(env), *project_candidates()):
        if is_toolkit(folder):
            return folder
    return None


def install():
    """Installs the pinned packages into a virtual environment of the project."""
    wanted = digest(REQUIREMENTS.read_text(), sys.version)
    if is_done(STAMP, wanted):
        return
    say("no CUDA toolkit here: installing ptxas and libdevice into "
        f"{VENV.relative_to(ROOT)}")
    run([sys.executable, "-m", "venv", "--clear", VENV])
    status = run([VENV / "bin" / "pip", "install", "--quiet", "--no-deps",
                  "--disable-pip-version-check", "--only-binary", ":all:",
                  "--require-hashes", "-r", REQUIREMENTS], check=False)
    if status != 0:
        raise Failure("pip could not install the packages of "
                      f"{REQUIREMENTS.relative_to(ROOT)}", EXIT_SETUP)
    mark_done(STAMP, wanted)


def setup():
    """A toolkit, installed when the machine has none."""
    if not any(is_toolkit(folder) for folder in system_candidates(os.environ)):
        install()
    toolkit = find()
    if toolkit is None:
        raise Failure("the Python packages of "
                      f"{REQUIREMENTS.relative_to(ROOT)} hold no bin/ptxas "
                      "with nvvm/libdevice/libdevice.10.bc", EXIT_SETUP)
    return toolkit


if __name__ == "__main__":
    print(find() or "")
