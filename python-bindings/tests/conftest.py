#===- conftest.py - What the tests of the package share --------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Fixtures: a cache of the test run's own, and whether there is a GPU."""

import os
import pathlib
import sys

import numpy as np
import pytest


EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "python"
sys.path.insert(0, str(EXAMPLES))  # reference.py is there.


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """One cache for the whole run, so that no test sees the user's; with
    CTC_CACHE_DIR set, that one, which may serve bundles without a compiler."""
    if "CTC_CACHE_DIR" in os.environ:
        yield pathlib.Path(os.environ["CTC_CACHE_DIR"])
        return
    base = tmp_path_factory.getbasetemp()
    # Workers of pytest-xdist have folders of their own below a shared one.
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "ctc-cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CTC_CACHE_DIR", str(folder))
        yield folder


def _missing_gpu():
    if os.environ.get("CTC_GPU_DRY_RUN"):  # See gpu_folder.py.
        return ""
    try:
        import torch
    except ImportError:
        return "no PyTorch here"
    return "" if torch.cuda.is_available() else "no CUDA GPU here"


def pytest_collection_modifyitems(items):
    marked = [item for item in items if item.get_closest_marker("gpu")]
    reason = _missing_gpu() if marked else ""
    for item in marked:
        if reason:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture
def rng():
    return np.random.default_rng(0)
