#===- ctc_build.py - scikit-build-core, and a whole source distribution ----===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The build backend: scikit-build-core's, but for the source distribution.

The package is a folder of a larger project. A source distribution must build
where that project is not, so it gets a folder `ctc-source` with the project's
libraries, and in it `third-party` with the headers they need and what flatc
makes of the bundle's schema. FlatBuffers (Apache-2.0), xxHash (BSD-2-Clause)
and tl::expected (CC0) are used header only; their notices come along.
"""

import contextlib
import pathlib
import shutil
import subprocess

from scikit_build_core import build as _base
from scikit_build_core.build import *  # noqa: F403  the hooks of PEP 517

HERE = pathlib.Path(__file__).resolve().parents[1]
PROJECT = HERE.parent
BUNDLED = HERE / "ctc-source"
PARTS = ["CMakeLists.txt", "LICENSE", "cmake", "include", "lib", "scripts"]
SCHEMA = "lib/Bundle/Bundle.fbs"
# A header of each library, and Debian's name for it.
HEADERS = {"flatbuffers/flatbuffers.h": "libflatbuffers-dev",
           "xxhash.h": "libxxhash-dev",
           "tl/expected.hpp": "libexpected-dev"}
INCLUDE_FOLDERS = [pathlib.Path("/usr/local/include"),
                   pathlib.Path("/usr/include")]


def _header(name):
    for folder in INCLUDE_FOLDERS:
        if (folder / name).is_file():
            return folder / name
    raise RuntimeError(f"a source distribution needs the header {name} "
                       f"(Debian: {HEADERS[name]})")


def _bundle_headers(target):
    include = target / "include"
    for name, package in HEADERS.items():
        header = _header(name)
        if "/" in name:
            shutil.copytree(header.parent, include / pathlib.Path(name).parent)
        else:
            include.mkdir(parents=True, exist_ok=True)
            shutil.copy(header, include)
        notice = pathlib.Path("/usr/share/doc") / package / "copyright"
        if notice.is_file():
            (target / "licenses").mkdir(exist_ok=True)
            shutil.copy(notice, target / "licenses" / package)


def _generate(target):
    flatc = shutil.which("flatc")
    if flatc is None:
        raise RuntimeError("a source distribution needs flatc (Debian: "
                           "flatbuffers-compiler)")
    subprocess.run([flatc, "--cpp", "--scoped-enums", "-o",
                    str(target / "generated"), str(PROJECT / SCHEMA)],
                   check=True)


@contextlib.contextmanager
def _bundled_sources():
    if not (PROJECT / SCHEMA).is_file():  # This is a source distribution.
        yield
        return
    shutil.rmtree(BUNDLED, ignore_errors=True)
    try:
        BUNDLED.mkdir()
        for part in PARTS:
            source = PROJECT / part
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, BUNDLED / part)
        for cache in BUNDLED.rglob("__pycache__"):
            shutil.rmtree(cache)
        _bundle_headers(BUNDLED / "third-party")
        _generate(BUNDLED / "third-party")
        yield
    finally:
        shutil.rmtree(BUNDLED, ignore_errors=True)


def build_sdist(sdist_directory, config_settings=None):
    with _bundled_sources():
        return _base.build_sdist(sdist_directory, config_settings)
