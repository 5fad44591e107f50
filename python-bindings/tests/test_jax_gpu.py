#===- test_jax_gpu.py - JAX on a GPU ---------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The custom call on XLA's CUDA backend. The test runs in a process of its own,
since JAX and PyTorch do not share a GPU's memory gladly."""

import os
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.gpu

SCRIPT = """
import functools, os
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
import jax, numpy as np
import ctc.jax as cjax
import reference
from test_jax import ATTRIBUTES

rng = np.random.default_rng(0)
x = rng.integers(-3, 4, (2, 4, 5, 6)).astype(np.float32)
w = rng.integers(-3, 4, (4, 3, 3, 2)).astype(np.float32)
b = rng.integers(-3, 4, 6).astype(np.float32)
call = jax.jit(functools.partial(cjax.conv_transpose, **ATTRIBUTES))
for scale in (1, 2):
    y = call(x * scale, w, b)
    want = reference.conv_transpose(x * scale, w, b, **ATTRIBUTES)
    np.testing.assert_array_equal(np.asarray(y), want)
print(next(iter(y.devices())).platform)
"""


def test_jit():
    pytest.importorskip("jax", reason="no JAX here")
    dry = bool(os.environ.get("CTC_GPU_DRY_RUN"))
    result = subprocess.run([sys.executable, "-c", textwrap.dedent(SCRIPT)],
                            text=True, capture_output=True, timeout=300,
                            cwd=os.path.dirname(__file__),
                            env={**os.environ, "PYTHONPATH": os.pathsep.join(
                                sys.path)})
    assert result.returncode == 0, result.stderr
    platform = result.stdout.split()[-1]
    if platform == "cpu" and not dry:
        pytest.skip("this JAX has no GPU backend")
    assert platform == ("cpu" if dry else "gpu")
