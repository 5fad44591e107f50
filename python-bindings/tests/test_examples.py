#===- test_examples.py - The examples and their types ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Each example runs as a user would run it, and the types hold."""

import os
import re
import subprocess
import sys

import pytest

from conftest import EXAMPLES

#: What each runs with on the cpu device, where kernels are interpreted.
SMALL = {"sam_mask_decoder": "6", "dcgan": "4", "hifigan": "1"}


def run(*command):
    return subprocess.run(command, text=True, capture_output=True, timeout=900,
                          cwd=EXAMPLES)


@pytest.mark.parametrize("name", SMALL)
def test_numpy(name):
    """By NumPy on the cpu device, also where there is a GPU."""
    result = subprocess.run(
        [sys.executable, f"{name}.py", SMALL[name]], text=True,
        capture_output=True, timeout=900, cwd=EXAMPLES,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert result.returncode == 0, result.stderr
    assert "by NumPy on cpu (PTX machine)" in result.stdout
    assert "check: 0 of " in result.stdout


@pytest.mark.gpu
@pytest.mark.parametrize("name", SMALL)
def test_torch(name):
    result = run(sys.executable, f"{name}.py")
    assert result.returncode == 0, result.stderr
    assert "by PyTorch on cuda:0" in result.stdout
    assert "check: 0 of " in result.stdout


def test_the_check_can_fail():
    """A planted error of a few roundings is found."""
    import numpy as np
    import reference

    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(s).astype(np.float32)
               for s in ((1, 8, 5), (8, 4, 4), (4,)))
    y = reference.conv_transpose(x, w, b, stride=[2], padding=[(1, 1)],
                                 dilation=[1], output_padding=[0], groups=1)
    given = dict(stride=[2], padding=[(1, 1)])
    assert reference.wrong(y.astype(np.float32), x, w, b, **given) == 0
    y[0, 1, 2] += 1e-4
    y[0, 2, 3] = np.nan
    assert reference.wrong(y.astype(np.float32), x, w, b, **given) == 2


def mypy(*arguments):
    pytest.importorskip("mypy")
    result = run(sys.executable, "-m", "mypy", "--strict", "--config-file=",
                 "--cache-dir", os.devnull, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_stubs_pass_mypy_on_the_examples():
    assert "Success: no issues found in" in mypy(
        *map(str, sorted(EXAMPLES.glob("*.py"))))


def test_stubs_say_what_a_call_gives(tmp_path):
    """An array gives an array of its kind; a wrong argument is an error."""
    program = tmp_path / "program.py"
    program.write_text(
        "import ctc\nimport numpy as np\n"
        "layer = ctc.load('x').prepare(np.zeros(3))\n"
        "reveal_type(layer(np.zeros(3, np.float32)))\n"
        "reveal_type(layer(3, out='y'))\n"
        "reveal_type(ctc.compile(input=(None, 2), weight=(2, 2)).entry())\n")
    text = mypy(str(program))
    # mypy calls str by its module or not, as its version has it.
    for kind in ("ndarray", r'"(builtins\.)?str"', "Entry"):
        assert re.search(kind, text), text
    program.write_text("import ctc\nctc.compile(inputs=(1, 2, 3))\n")
    with pytest.raises(AssertionError, match="inputs"):
        mypy(str(program))


def test_package_itself_passes_mypy():
    pytest.importorskip("torch", reason="no PyTorch here")
    mypy("--package", "ctc")
