#===- gpu_folder.py - What a GPU machine without LLVM needs for the tests --===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Makes a folder that runs the gpu tests on a machine that has PyTorch and a
GPU, but neither LLVM nor a network.

    .cache/python/bin/python python-bindings/tests/gpu_folder.py FOLDER
        [--chip=sm_90a] [--python=python3.12]

FOLDER gets a wheel of the package without the compiler, for Python 3.12 and
newer; its source distribution, for others; the tests, examples and benchmarks,
that of launches from C among them; and a cache with every bundle they ask for,
compiled here for that chip by running the tests dry on the host. FOLDER/run.sh
does the rest there. The compiler must be here: run it in the environment of
`./dev python`, with the project built.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = HERE.parent
PROJECT = PACKAGE.parent
BUILD = PROJECT / os.environ.get("CTC_BUILD_DIR", "build")
REQUIREMENTS = PROJECT / "scripts" / "requirements-python.txt"
EXAMPLES = ["sam_mask_decoder", "dcgan", "hifigan"]
PARTS = ["python-bindings/tests", "python-bindings/pyproject.toml",
         "examples/python", "bench/python_launch.py"]

RUN = """#!/usr/bin/env bash
# Runs the gpu tests, the examples and the launch benchmark with the machine's
# own python3, PyTorch, NumPy and pytest. PYTHON names another python3.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python=${PYTHON:-python3}
"$python" -m pip install -q --no-index --no-deps --no-compile --upgrade \\
  --target site ctc-*.whl || exit
export PYTHONPATH=$PWD/site CTC_CACHE_DIR=$PWD/cache
status=0
(cd python-bindings/tests && "$python" -m pytest -p no:cacheprovider -q -m gpu \\
  test_torch_gpu.py test_jax_gpu.py test_examples.py) || status=1
for example in sam_mask_decoder dcgan hifigan; do
  "$python" examples/python/$example.py || status=1
done
"$python" bench/python_launch.py --check || status=1
LD_LIBRARY_PATH=$PWD/site/ctc bench/CtcLaunchBenchmark bench/layer.ctcb \\
  --check || status=1
exit $status
"""

# Compiles what the examples compile on a GPU, without running it.
COMPILE_EXAMPLES = """
import sys
import numpy as np
import backend, upsampling
backend.Backend.is_gpu = property(lambda self: True)
upsampling.UpsamplingLayer.__call__ = lambda self, x: np.zeros(
    self.bundle(tuple(x.shape)).entry().output.shape, np.float32)
for name in sys.argv[1:]:
    __import__(name).main([])
"""

# The layer of python_launch.py.
COMPILE_LAYER = """
import sys
import ctc
ctc.compile(input=(None, 8, 4, 4), weight=(8, 8, 2, 2), stride=2, bias=True,
            chips=sys.argv[2]).save(sys.argv[1])
"""


def run(*command, **options):
    print("+", *command[:6], "..." if len(command) > 6 else "", flush=True)
    subprocess.run(list(map(str, command)), check=True, **options)


def pinned(*names):
    """The lines of the requirements that pin these packages."""
    lines = REQUIREMENTS.read_text().splitlines()
    return [line.split()[0] for line in lines
            if line.split("==")[0] in names]


def build_wheel(folder, python):
    """Without LLVM, linked against nothing but the C library."""
    with tempfile.TemporaryDirectory() as scratch:
        run(python, "-m", "venv", scratch)
        own = pathlib.Path(scratch, "bin", "python")
        run(own, "-m", "pip", "install", "-q", *pinned(
            "nanobind", "scikit-build-core", "packaging", "pathspec"))
        run(own, "-m", "pip", "wheel", "-q", "--no-build-isolation",
            "--no-deps", "-w", folder, "-C",
            "cmake.define.CTC_PYTHON_COMPILER=OFF",
            # The cpu device is not what it is for: its slowest level will do.
            "-C", "cmake.define.CTC_PTX_LEVELS=baseline", PACKAGE,
            env={**os.environ, "CC": "clang-22", "CXX": "clang++-22",
                 "LDFLAGS": "-fuse-ld=lld",
                 "CMAKE_CXX_COMPILER_LAUNCHER": "ccache"})


def build_sdist(folder):
    run(sys.executable, "-c", "import sys; sys.path.insert(0, 'backend'); "
        f"import ctc_build; ctc_build.build_sdist({str(folder)!r})",
        cwd=PACKAGE)


def copy_parts(folder):
    for part in PARTS:
        target = folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if (PROJECT / part).is_dir():
            shutil.copytree(PROJECT / part, target,
                            ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(PROJECT / part, target)
    shutil.copy(BUILD / "bin" / "CtcLaunchBenchmark", folder / "bench")
    (folder / "run.sh").write_text(RUN)
    (folder / "run.sh").chmod(0o755)


def fill_cache(folder, chip):
    env = {**os.environ, "CTC_CACHE_DIR": str(folder / "cache"),
           "CTC_CPU_CHIP": chip, "CTC_GPU_DRY_RUN": "1",
           "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1"}
    run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-m",
        "gpu", "test_torch_gpu.py", "test_jax_gpu.py", env=env,
        cwd=folder / "python-bindings" / "tests")
    examples = folder / "examples" / "python"
    run(sys.executable, "-c", COMPILE_EXAMPLES, *EXAMPLES, cwd=examples,
        env={**env, "PYTHONPATH": str(examples)})
    run(sys.executable, folder / "bench" / "python_launch.py", env=env)
    run(sys.executable, "-c", COMPILE_LAYER, folder / "bench" / "layer.ctcb",
        chip)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--chip", default="sm_90a")
    parser.add_argument("--python", default="python3.12",
                        help="Python 3.12 or newer, to build the wheel with")
    options = parser.parse_args()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build_wheel(folder, options.python)
    build_sdist(folder)
    copy_parts(folder)
    fill_cache(folder, options.chip)
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    print(f"{folder}: {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
