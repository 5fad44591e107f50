#===- test_cache.py - The cache of bundles ---------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Hits, misses, damage, many processes, and the limit."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import ctc
from ctc import _cache, _compile

LAYER = {"input": (1, 2, 3), "weight": (2, 2, 2), "chips": "sm_80"}


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("CTC_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def compiled(monkeypatch):
    """Counts what the compiler is asked for."""
    calls = []
    real = _compile._compiler()

    class Counting:
        @staticmethod
        def compile_layer(*arguments):
            calls.append(arguments)
            return real.compile_layer(*arguments)

        @staticmethod
        def compile_mlir(*arguments):
            calls.append(arguments)
            return real.compile_mlir(*arguments)

    monkeypatch.setattr(_compile, "_compiler", Counting)
    return calls


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def layer_text():
    """LAYER as MLIR."""
    from ctc import _compiler

    layer = _compile._layers.layer(
        input=(1, 2, 3), weight=(2, 2, 2), dtype="f32", bias=False, stride=1,
        dilation=1, padding=0, output_padding=0, groups=1,
        layout="channels_first", precision="tf32")
    return _compiler.layer_mlir(layer.fields(), [])


def test_compiled_once(folder, compiled):
    first, second = ctc.compile(**LAYER), ctc.compile(**LAYER)
    assert len(compiled) == 1 and len(files(folder)) == 1
    assert first.to_bytes() == second.to_bytes()
    ctc.compile(**LAYER, cache=False)
    assert len(compiled) == 2


def test_everything_that_matters_is_in_the_key(folder, compiled):
    variants = [{}, {"stride": 2}, {"padding": 1}, {"padding": [(1, 0)]},
                {"dilation": 2}, {"output_padding": 1}, {"bias": True},
                {"dtype": "float16"}, {"precision": "ieee"},
                {"chips": "sm_90a"}, {"chips": "sm_80,sm_90a"},
                {"epilogue": "relu"}, {"input": (None, 2, 3)},
                {"layout": "channels_last", "input": (1, 3, 2)},
                {"family": "simt"}, {"tuning_table": False}]
    for _ in range(2):
        for variant in variants:
            ctc.compile(**{**LAYER, **variant})
    assert len(compiled) == len(variants)


def test_a_tuning_table_is_in_the_key_by_its_contents(folder, compiled,
                                                      tmp_path):
    table = tmp_path / "own.json"
    for text in ('{"format": 1, "chip": "sm_80", "entries": []}',
                 '{"format": 1, "chip": "sm_80",  "entries": []}'):
        table.write_text(text)
        for path in (table, str(table)):
            ctc.compile(**LAYER, tuning_table=path)
    assert len(compiled) == 2
    for _ in range(2):
        ctc.compile(**LAYER)
    assert len(compiled) == 3


def test_a_tuning_table_decides(folder, tmp_path):
    kernel = ("#ctc.kernel<family = simt, lanes = positions, batch = 1, "
              "box = [4], phases = [1], taps = [2], chunk_channels = 2, "
              "workers = [32, 1], worker_tile = [1, 2], stages = 1, "
              "source = heuristic>")
    problem = {"N": 1, "Cin": 2, "Cout": 2, "groups": 1, "spatial": [3],
               "kernel": [2], "stride": [1], "padding": [[0, 0]],
               "output_padding": [0], "dilation": [1], "dtype": "f32",
               "layout": "channels_first", "precision": "tf32"}
    table = tmp_path / "own.json"
    table.write_text(json.dumps({"format": 1, "chip": "sm_80", "entries": [
        {"problem": problem, "kernel": kernel, "board": "a board",
         "seconds": 1e-6, "model_seconds": 2e-6}]}))
    reason = b"own.json has this kernel, measured at 1 us on a board"
    tuned = ctc.compile(**LAYER, tuning_table=table)
    assert reason in tuned.to_bytes()
    assert reason not in ctc.compile(**LAYER).to_bytes()
    from_text = ctc.compile(layer_text(), chips="sm_80", tuning_table=table)
    assert reason in from_text.to_bytes()


def test_mlir(folder, compiled):
    text = layer_text()
    for _ in range(2):
        assert ctc.compile(text, chips="sm_80").entries == ["layer"]
    assert len(compiled) == 1


@pytest.mark.parametrize("damage", [
    lambda data: b"", lambda data: data[:50], lambda data: b"garbage" * 100,
    lambda data: data[:-1] + bytes([data[-1] ^ 1])],
    ids=["empty", "truncated", "garbage", "altered"])
def test_damage_is_a_miss(folder, compiled, damage):
    good = ctc.compile(**LAYER).to_bytes()
    [path] = files(folder)
    path.write_bytes(damage(good))
    assert ctc.compile(**LAYER).to_bytes() == good
    assert len(compiled) == 2 and path.read_bytes() == good


def test_another_layer_under_the_name_is_a_miss(folder, compiled):
    """A sound bundle is used only if it computes what was asked for."""
    good = ctc.compile(**LAYER).to_bytes()
    [path] = files(folder)
    path.write_bytes(ctc.compile(**LAYER, stride=2, cache=False).to_bytes())
    assert ctc.compile(**LAYER).to_bytes() == good
    path.write_bytes(ctc.compile(**{**LAYER, "chips": "sm_90a"},
                                 cache=False).to_bytes())
    assert ctc.compile(**LAYER).to_bytes() == good


def test_a_folder_in_the_way_is_a_miss(folder):
    path = _cache.path_of("0" * 64)
    path.mkdir(parents=True)
    assert _cache.read("0" * 64, lambda bundle: True) is None


def test_unwritable_cache_warns_and_compiles(folder):
    folder.write_text("a file where the folder should be")
    with pytest.warns(RuntimeWarning, match="the cache of ctc cannot be "
                                            "written: "):
        assert ctc.compile(**LAYER).chips == ["sm_80"]


def test_limit_drops_what_was_not_used_for_longest(folder, monkeypatch):
    for stride in (1, 2, 3):
        ctc.compile(**LAYER, stride=stride)
    paths = {path: index for index, path in enumerate(files(folder))}
    for path, index in paths.items():
        os.utime(path, (1000 + index, 1000 + index))
    oldest, second, newest = paths
    added = len(ctc.compile(**LAYER, stride=4, cache=False).to_bytes())
    stay = second.stat().st_size + newest.stat().st_size + added
    monkeypatch.setenv("CTC_CACHE_SIZE", str(stay))
    ctc.compile(**LAYER, stride=4)
    assert not oldest.exists() and second.exists() and newest.exists()
    monkeypatch.setenv("CTC_CACHE_SIZE", "0")
    ctc.compile(**LAYER, stride=5)
    assert len(files(folder)) == 1  # What was just added stays.


def test_a_hit_counts_as_use(folder):
    ctc.compile(**LAYER)
    [path] = files(folder)
    os.utime(path, (1000, 1000))
    ctc.compile(**LAYER)
    assert path.stat().st_mtime > time.time() - 60


def test_what_a_dead_process_staged_goes(folder):
    stale = _cache.path_of("1" * 64).with_suffix(".tmp")
    fresh = stale.with_name("fresh.tmp")
    stale.parent.mkdir(parents=True)
    for path in (stale, fresh):
        path.write_text("x")
    os.utime(stale, (1000, 1000))
    ctc.compile(**LAYER)
    assert not stale.exists() and fresh.exists()


@pytest.mark.parametrize("text, size", [("", 1 << 30), ("5", 5), ("3K", 3072),
                                        ("2g", 2 << 30), (" 7M ", 7 << 20)])
def test_sizes(monkeypatch, text, size):
    monkeypatch.setenv("CTC_CACHE_SIZE", text)
    assert _cache.limit() == size


@pytest.mark.parametrize("text", ["lots", "-1", "1.5G", "G"])
def test_bad_sizes(monkeypatch, text):
    monkeypatch.setenv("CTC_CACHE_SIZE", text)
    with pytest.raises(ValueError, match=f"CTC_CACHE_SIZE is '{text}', must"):
        _cache.limit()


def test_where_it_is(monkeypatch, tmp_path):
    monkeypatch.delenv("CTC_CACHE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert str(_cache.directory()) == "/home/someone/.cache/ctc"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert str(_cache.directory()) == "/home/someone/.cache/ctc"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert _cache.directory() == tmp_path / "ctc"
    monkeypatch.setenv("CTC_CACHE_DIR", "own")
    assert str(_cache.directory()) == "own"


def test_many_processes(folder):
    """Readers and writers of one entry, one of which damages it all along,
    all end up with a good bundle."""
    script = ("import ctc, glob, sys\n"
              "for i in range(15):\n"
              "    b = ctc.compile(input=(1, 2, 3), weight=(2, 2, 2),"
              " chips='sm_80')\n"
              "    assert b.entry().name == 'layer'\n"
              "    if sys.argv[1] == '0':\n"
              "        for p in glob.glob(sys.argv[2] + '/*/*.ctcb'):\n"
              "            open(p, 'r+b').truncate(99)\n")
    running = [subprocess.Popen([sys.executable, "-c", script, str(i),
                                 str(folder)], stderr=subprocess.PIPE)
               for i in range(4)]
    for process in running:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()
    assert all(path.suffix == ".ctcb" for path in files(folder))


def test_cached_bundles_run(folder):
    w = np.ones((2, 2, 2), np.float32)
    for _ in range(2):
        y = ctc.compile(**LAYER).prepare(w)(np.ones((1, 2, 3), np.float32))
        np.testing.assert_array_equal(y[0, 0], (2, 4, 4, 2))
