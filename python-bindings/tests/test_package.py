#===- test_package.py - The package as it is installed ---------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Wheels and source distributions in fresh environments, the README's example,
the time to import, and what the modules need."""

import doctest
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import venv

import numpy
import pytest

import ctc

PACKAGE = pathlib.Path(__file__).resolve().parents[1]
PROJECT = PACKAGE.parent
BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", PROJECT / "build"))
needs_project = pytest.mark.skipif(
    not (PROJECT / "lib").is_dir() or not (BUILD / "ctcBuildTree.cmake").exists(),
    reason="no build tree of ctc here")


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), text=True, timeout=1800,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            **options)
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_import_is_quick():
    """Under 200 ms of the processor, and without torch, jax, NumPy or the
    compiler."""
    script = ("import sys, time; t = time.process_time(); import ctc; "
              "t = time.process_time() - t; "
              "heavy = {'torch', 'jax', 'numpy', 'ctc._compiler'}; "
              "print(t, sorted(heavy & set(sys.modules)))")
    times = []
    for _ in range(5):
        seconds, _, modules = run(sys.executable, "-c", script).partition(" ")
        assert modules.strip() == "[]"
        times.append(float(seconds))
    assert min(times) < 0.2


def needed_libraries(path):
    text = run("readelf", "-d", path)
    return re.findall(r"\(NEEDED\).*\[(.*)\]", text)


def test_runtime_needs_no_llvm():
    folder = pathlib.Path(ctc.__file__).parent
    [module] = folder.glob("_runtime*.so")
    [library] = folder.glob("libctc_runtime.so.*")
    for path in (module, library):
        needed = needed_libraries(path)
        assert "libc.so.6" in needed
        assert not [name for name in needed
                    if re.search("LLVM|MLIR|cuda", name)]


def prose(member):
    """A docstring without the signature that nanobind puts first."""
    return re.sub(r"^\w*\(.*\) *(->.*)?$", "", member.__doc__ or "",
                  flags=re.M).strip()


def test_docstrings():
    """What is public says what it is."""
    for name in ctc.__all__:
        assert prose(getattr(ctc, name)), name
    for kind in (ctc.Bundle, ctc.PreparedLayer):
        for name, member in vars(kind).items():
            if not name.startswith("_") or name == "__call__":
                assert prose(member), (kind, name)


def test_names():
    """`dir` shows what is public, and nothing that was only imported."""
    names = [name for name in dir(ctc) if not name.startswith("_")]
    assert names == sorted(ctc.__all__)
    assert "__version__" in dir(ctc)


def environment_with(tmp_path, *packages):
    """A fresh environment; NumPy comes from this one, as it was pinned."""
    folder = tmp_path / "fresh"
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    site = next(folder.glob("lib/python3*/site-packages"))
    own = pathlib.Path(numpy.__file__).parents[1]
    for name in own.glob("numpy*"):
        (site / name.name).symlink_to(name)
    run(python, "-m", "pip", "install", "--no-index", "--no-build-isolation",
        "--disable-pip-version-check", *packages)
    return python


def readme_example(tmp_path):
    """The README's interactive session, as a script that checks itself."""
    text = (PROJECT / "README.md").read_text()
    [session] = re.findall(r"^```python wheel\n(.*?)^```", text, re.M | re.S)
    script = tmp_path / "readme.py"
    flags = "doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE"
    script.write_text(
        f"import doctest, sys\n"
        f"test = doctest.DocTestParser().get_doctest({session!r}, {{}},"
        f" 'README', None, 0)\n"
        f"runner = doctest.DocTestRunner(optionflags={flags})\n"
        f"runner.run(test)\n"
        f"sys.exit(runner.failures or not runner.tries)\n")
    assert doctest.DocTestParser().get_examples(session)
    return script


@needs_project
def test_readme_in_a_fresh_environment(tmp_path):
    [wheel] = (BUILD / "python" / "wheels").glob("ctc-*.whl")
    python = environment_with(tmp_path, wheel)
    run(python, readme_example(tmp_path), cwd=tmp_path,
        env={**os.environ, "CTC_CACHE_DIR": str(tmp_path / "cache")})


@needs_project
def test_source_distribution(tmp_path):
    """It builds where neither the project nor LLVM, flatc or the headers of
    FlatBuffers are, and its runtime launches a bundle."""
    run(sys.executable, "-c", "import sys; sys.path.insert(0, 'backend'); "
        f"import ctc_build; ctc_build.build_sdist({str(tmp_path)!r})",
        cwd=PACKAGE)
    assert not (PACKAGE / "ctc-source").exists()
    [archive] = tmp_path.glob("ctc-*.tar.gz")
    with tarfile.open(archive) as file:
        names = file.getnames()
        # Python 3.11.4 and newer want to be told; the archive is our own.
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        file.extractall(tmp_path / "unpacked", **safely)
    root = f"{archive.name.removesuffix('.tar.gz')}/ctc-source"
    for part in ("LICENSE", "lib/Runtime/Layer.cpp", "third-party/include/"
                 "xxhash.h", "third-party/generated/Bundle_generated.h",
                 "third-party/licenses/libflatbuffers-dev"):
        assert f"{root}/{part}" in names
    [unpacked] = (tmp_path / "unpacked").iterdir()
    tools = tmp_path / "tools"  # What of the machine the build may use.
    tools.mkdir()
    for name in ("clang-22", "clang++-22", "ld.lld", "ar", "ranlib", "strip",
                 "ninja", "cmake", "sh", "ccache"):
        (tools / name).symlink_to(shutil.which(name))
    run(sys.executable, "-m", "pip", "wheel", "--no-build-isolation",
        "--no-deps", "--no-index", "--wheel-dir", tmp_path,
        "--config-settings=cmake.define.CTC_PYTHON_COMPILER=OFF",
        "--config-settings=cmake.define.CTC_PTX_LEVELS=baseline", unpacked,
        env={"PATH": str(tools), "CC": "clang-22", "CXX": "clang++-22",
             "LDFLAGS": "-fuse-ld=lld", "HOME": os.environ.get("HOME", "/"),
             "CMAKE_CXX_COMPILER_LAUNCHER": "ccache",
             "CCACHE_BASEDIR": str(tmp_path), "CCACHE_NOHASHDIR": "1"})
    [wheel] = tmp_path.glob("ctc-*.whl")
    python = environment_with(tmp_path, wheel)
    bundle = tmp_path / "layer.ctcb"
    ctc.compile(input=(1, 2, 3), weight=(2, 2, 2), chips="sm_80").save(bundle)
    script = ("import ctc, numpy as np\n"
              "assert not ctc.has_compiler()\n"
              f"layer = ctc.load({str(bundle)!r}).prepare("
              "np.ones((2, 2, 2), 'f'))\n"
              "print(layer(np.ones((1, 2, 3), 'f'))[0, 0])\n")
    assert run(python, "-c", script, cwd=tmp_path).strip() == "[2. 4. 4. 2.]"
    [library] = (tmp_path / "fresh").rglob("libctc_runtime.so.0")
    assert "libstdc++.so.6" not in needed_libraries(library)
