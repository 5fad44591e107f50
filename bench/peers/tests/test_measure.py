#===- test_measure.py - The harness, with contenders that misbehave ---------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Dry runs on the host: workers are real processes that crash and hang."""

import json
import subprocess
import sys

import pytest
from conftest import HERE, PEERS, case

pytest.importorskip("torch")

import measure  # noqa: E402
import rows  # noqa: E402

FAKES = [f"fake:{kind}" for kind in (
    "missing", "memory", "error", "crash", "wrong", "hang", "good")]


def run(arguments, capsys):
    status = measure.main(list(map(str, arguments)))
    said = capsys.readouterr()
    return status, said.out, said.err


def dry(path, results, *more):
    return [path, "--results", results, "--device", "cpu", "--fakes",
            HERE / "fake_contenders.py", "--layout", "channels_first", *more]


def test_whatever_goes_wrong_is_a_row_and_the_rest_goes_on(
        shapes_file, tmp_path, capsys):
    results = tmp_path / "r.jsonl"
    status, out, _ = run(dry(shapes_file(case()), results, "--limit", "3",
                             "--peers", ",".join(FAKES)), capsys)
    runs, found, broken = rows.read_results(results)
    assert status == 0 and broken == 0
    assert len(runs) == 1 and runs[0]["dry_run"]
    by_kind = {row["peer"].split(":")[1]: row for row in found}
    assert {kind: row["status"] for kind, row in by_kind.items()} == {
        "missing": "missing", "memory": "out of memory", "error": "error",
        "crash": "crashed", "wrong": "wrong", "hang": "time limit",
        "good": "ok"}
    assert by_kind["error"]["message"] == "RuntimeError: this and"
    assert by_kind["hang"]["message"] == "took more than 3 s and was ended"
    assert by_kind["wrong"]["wrong"] == by_kind["wrong"]["outputs"]
    assert by_kind["good"]["checked"] == "all outputs"
    assert by_kind["good"]["dry_run"] and by_kind["good"]["floor_s"] > 0
    assert "[7/7]" in out and "0 of 7 cells not run" in out


def test_resuming_measures_what_is_missing(shapes_file, tmp_path,
                                           capsys):
    results = tmp_path / "r.jsonl"
    first, both = shapes_file(case(), name="one.json"), shapes_file(
        case(), case(name="other"), name="two.json")
    assert run(dry(first, results, "--peers", "fake:good"), capsys)[0] == 0
    status, out, _ = run(dry(both, results, "--peers", "fake:good", "--resume"),
                         capsys)
    assert status == 0 and "[1/1] other" in out
    assert len(rows.read_results(results)[1]) == 2
    status, out, _ = run(dry(both, results, "--peers", "fake:good", "--resume"),
                         capsys)
    assert status == 0 and "nothing measured; 0 of 0" in out


def test_malformed_layers_are_said_and_the_rest_goes_on(
        shapes_file, tmp_path, capsys):
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    path = shapes_file(case(), case(name="bad", kernel="3"))
    status, out, err = run(
        [broken, *dry(path, tmp_path / "r.jsonl", "--peers", "fake:good")], capsys)
    assert status == 2
    assert "broken.json: is no JSON" in err
    assert "'bad': 'kernel' is '3', must be a list" in err
    assert "1 ok" in out


def test_the_time_budget(shapes_file, tmp_path, capsys):
    status, out, _ = run(dry(shapes_file(case()), tmp_path / "r.jsonl",
                             "--peers", "fake:good", "--budget", "0.001"), capsys)
    assert status == 5
    assert "1 of 1 cells not run: the time budget is used up" in out


def test_usage(shapes_file, tmp_path, capsys):
    path = shapes_file(case())
    results = tmp_path / "r.jsonl"
    for more, message in (
            (["--peers", "reference"], "needs --reference=PATHS"),
            (["--peers", "ctc", "--pack", tmp_path], "is no manifest of a pack"),
            (["--filter", "nothing"], "no layer to measure")):
        status, _, err = run(dry(path, results, *more), capsys)
        assert status == 2 and message in err
    assert not results.exists()
    status, _, err = run(dry(path, tmp_path / "none" / "r.jsonl", "--peers",
                             "eager"), capsys)
    assert status == 2 and "cannot be written" in err
    for flags in (["--peers", "eagre"], ["--filter", "("],
                  ["--precision", "fp8"]):
        with pytest.raises(SystemExit, match="2"):
            measure.main([str(path), "--results", str(results), *flags])
        assert "must be of" in (err := capsys.readouterr().err) or \
            "not a regular expression" in err


def test_a_reference_that_is_not_there_is_a_row(shapes_file, tmp_path, capsys):
    results = tmp_path / "r.jsonl"
    status, _, _ = run(dry(shapes_file(case()), results, "--peers",
                           "fake:good,reference", "--reference",
                           tmp_path / "none.py"), capsys)
    assert status == 0
    assert sorted(row["status"] for row in rows.read_results(results)[1]) == \
        ["missing", "ok"]


@pytest.mark.parametrize("flag, legal", [
    ("--budget=-1", "'-1' must be a number of at least 0"),
    ("--budget=nan", "'nan' must be a number of at least 0"),
    ("--per-cell=0", "'0' must be a number above 0"),
    ("--limit=inf", "'inf' must be a number above 0"),
    ("--slow-limit=1h", "'1h' must be a number above 0")])
def test_numbers_that_are_not_legal(tmp_path, capsys, flag, legal):
    with pytest.raises(SystemExit, match="2"):
        measure.main(["layers.json", "--results", str(tmp_path / "r"), flag])
    assert legal in capsys.readouterr().err


def test_a_python_without_pytorch(shapes_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    results = tmp_path / "r.jsonl"
    status, _, err = run(dry(shapes_file(case()), results, "--peers",
                             "fake:good"), capsys)
    assert status == 2 and not results.exists()
    assert f"{sys.executable} has no PyTorch" in err


def test_without_a_gpu(shapes_file, tmp_path):
    import torch
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run(
        [sys.executable, PEERS / "measure.py", shapes_file(case()),
         "--results", tmp_path / "r.jsonl", "--peers", "eager"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "NVIDIA" in done.stderr.splitlines()[-1]


def test_references_serve_what_their_constructor_takes(shapes_file, tmp_path,
                                                       capsys):
    """A module that is PyTorch's own stands for a kernel."""
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "plain2d.py").write_text(
        "import torch\n"
        "class ModelNew(torch.nn.ConvTranspose2d):\n"
        "    def __init__(self, in_channels, out_channels, kernel_size,\n"
        "                 stride: int = 1, padding=0, output_padding=0,\n"
        "                 bias: bool = False):\n"
        "        super().__init__(in_channels, out_channels, kernel_size,\n"
        "                         stride, padding, output_padding,\n"
        "                         bias=bias)\n")
    (tmp_path / "refs" / "broken2d.py").write_text("import no_such_module\n")
    (tmp_path / "refs" / "empty2d.py").write_text("")
    line = case(name="line", spatial=[3], kernel=[2], stride=[2], padding=[0],
                output_padding=[0], dilation=[1])
    results = tmp_path / "r.jsonl"
    status, _, _ = run(dry(
        shapes_file(case(), case(name="dilated", dilation=[2, 1]), line),
        results, "--peers", "reference", "--reference", tmp_path / "refs",
        "--precision", "tf32,bf16"), capsys)
    assert status == 0
    found = {(row["layer"], row["peer"]): row
             for row in rows.read_results(results)[1]}
    assert len(found) == 9
    assert found["small", "reference:plain2d"]["status"] == "ok"
    dilated = found["dilated", "reference:plain2d"]
    assert (dilated["status"], dilated["message"]) == (
        "unsupported", "has no dilation")
    assert found["line", "reference:plain2d"]["message"] == \
        "is for 2 dimensions"
    assert found["small", "reference:broken2d"]["status"] == "missing"
    assert "no_such_module" in found["small", "reference:broken2d"]["message"]
    assert found["small", "reference:empty2d"]["message"] == \
        "empty2d.py: has no class ModelNew"


def test_a_line_for_people():
    row = {"layer": "a", "precision": "tf32", "layout": "channels_first",
           "peer": "ctc", "variant": "wide", "status": "wrong",
           "median_s": 1e-5, "floor_s": 2e-6, "wrong": 3, "outputs": 9,
           "error_over_bound": 7.5}
    assert measure.line_of(row).split() == (
        "a tf32 first ctc wide 10.0 us 20.0% of the floor wrong: 3 of 9 "
        "outputs, 7.5 of the bound").split()
    assert json.loads(json.dumps(row)) == row
