#===- test_pack.py - Packing, and a dry run of a pack -----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from conftest import BUILD, CTC, RUNTIME, case, compiles, needs_ctc

import measure
import pack
import packing
import rows
import shapes


def make(arguments, capsys):
    status = pack.main(["--build", str(BUILD), "--runtime", str(RUNTIME),
                        *map(str, arguments)])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_flags_of_a_layer():
    layer = shapes.read_case(case(padding=[[1, -1], 0]), "case")
    assert pack.layer_flags(layer, "tf32x3", "channels_last") == [
        "--input=2x3x4x4xf32", "--weight=4x4x3x2xf32", "--stride=2,2",
        "--padding=1:-1,0:0", "--output-padding=1,0", "--dilation=1,1",
        "--groups=1", "--layout=channels_last", "--precision=tf32x3", "--bias"]
    flags = pack.layer_flags(layer, "bf16", "channels_first")
    assert flags[0] == "--input=2x4x3x4xbf16"
    assert not any(flag.startswith("--precision") for flag in flags)


@pytest.mark.parametrize("text, message", [
    ("{", "Expecting"), ("[" * 50000 + "]" * 50000, "is nested too deep"),
    ("[]", "must be an object with a list 'variants'"),
    ('{"variants": [{"flags": []}]}', "needs a name of its own"),
    ('{"variants": [{"name": "a"}, {"name": "a"}]}', "a name of its own"),
    ('{"variants": [{"name": "default"}]}', "other than 'default'"),
    ('{"variants": [{"name": "a", "flag": []}]}', "must have name, flags"),
    ('{"variants": [{"name": "a", "flags": "-g"}]}', "has 'flags': '-g'")])
def test_malformed_variants(tmp_path, text, message):
    path = tmp_path / "variants.json"
    path.write_text(text)
    with pytest.raises(measure.Usage, match=re.escape(message)):
        pack.read_variants(path)


def test_which_layers_a_variant_is_for():
    layer = shapes.read_case(case(), "case")
    variant = {"name": "a", "layers": "^sm", "layouts": ["channels_last"]}
    assert pack.applies(variant, layer, "tf32", "channels_last")
    assert not pack.applies(variant, layer, "tf32", "channels_first")
    assert not pack.applies({"name": "a", "layers": "big"}, layer, "tf32",
                            "channels_last")
    assert not pack.applies({"name": "a", "precisions": ["bf16"]}, layer,
                            "tf32", "channels_last")


def test_usage(shapes_file, tmp_path, capsys):
    path = shapes_file(case())
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("dear")
    status, _, err = make([path, "-o", other], capsys)
    assert status == 2 and "a folder with other things in it" in err
    assert (other / "thesis.txt").read_text() == "dear"
    status, _, err = make([path, "-o", tmp_path / "p", "--no-default"], capsys)
    assert status == 2 and "--no-default needs --variants" in err
    status, _, err = make([path, "-o", tmp_path / "p", "--filter", "none"],
                          capsys)
    assert status == 2 and "no layer to pack" in err
    status, _, err = make([path, "-o", tmp_path / "p", "--build", tmp_path],
                          capsys)
    assert status == 2 and "no such program" in err
    assert not (tmp_path / "p").exists()


def test_a_pack_that_cannot_be_read(tmp_path):
    with pytest.raises(packing.PackError, match="is no manifest of a pack"):
        packing.Pack(tmp_path)
    name = packing.store(tmp_path, b"bundle")
    assert packing.store(tmp_path, b"bundle") == name  # Once.
    entry = {"layer": "a", "precision": "tf32", "layout": "channels_first",
             "variant": "default"}
    (tmp_path / "manifest.json").write_text(json.dumps({"bundles": [
        {**entry, "file": name}, {**entry, "layer": "b", "error": "too odd"},
        {**entry, "layer": "c", "file": "bundles/none"}]}))
    found = packing.Pack(tmp_path)
    key = ("tf32", "channels_first", "default")
    assert found.bundle("a", *key) == b"bundle"
    for layer, message in (("b", "did not compile: too odd"),
                           ("c", "bundles/none"), ("d", "has no bundle")):
        with pytest.raises(packing.PackError, match=message):
            found.bundle(layer, *key)
    (tmp_path / name).write_bytes(b"xz")
    with pytest.raises(packing.PackError, match=name):
        found.bundle("a", *key)


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A pack of two layers and one that does not compile, with a variant whose
    kernel is given as text."""
    if not compiles():
        pytest.skip(f"{CTC} is not built, or has no CUDA toolkit")
    folder = tmp_path_factory.mktemp("pack")
    line = case(name="line", spatial=[5], kernel=[2], stride=[2], padding=[0],
                output_padding=[0], dilation=[1], bias=False)
    layers = folder / "layers.json"
    layers.write_text(json.dumps({"cases": [case(), line]}))
    kernel = chosen_kernel(folder, line)
    variants = folder / "variants.json"
    variants.write_text(json.dumps({"variants": [
        {"name": "simt", "flags": ["--family=simt"]},
        {"name": "given", "layers": "line", "precisions": ["tf32"],
         "layouts": ["channels_first"], "kernel": kernel},
        {"name": "none", "layers": "line", "precisions": ["tf32"],
         "layouts": ["channels_first"], "flags": ["--family=none"]}]}))
    done = subprocess.run(
        [sys.executable, pathlib.Path(pack.__file__), layers, "-o",
         folder / "pack", "--build", BUILD, "--runtime", RUNTIME, "--chip",
         "sm_80", "--precision", "tf32,bf16", "--variants", variants],
        capture_output=True, text=True, check=False)
    return folder / "pack", done


def chosen_kernel(folder, line):
    """What the compiler itself takes for a layer, as text."""
    layer = shapes.read_case(line, "case")
    bundle = folder / "line.ctcb"
    subprocess.run([CTC, "compile", *pack.layer_flags(
        layer, "tf32", "channels_first"), "--chip=sm_80", "-o", bundle],
        check=True)
    said = subprocess.run([CTC, "inspect", bundle], capture_output=True,
                          text=True, check=True).stdout
    kernel = re.search(r"#ctc\.kernel<.*>", said)[0]
    return re.sub(r"source = \w+", "source = explicit", kernel)


@needs_ctc
def test_what_a_pack_holds(packed):
    folder, done = packed
    assert done.returncode == 1  # One did not compile, and is said to.
    assert "line tf32 channels_first none" in done.stderr
    # Two precisions and layouts, by default and as simt; one that is given.
    assert "17 bundles of 2 layers for sm_80" in done.stdout
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["chip"] == "sm_80"
    errors = [entry for entry in manifest["bundles"] if "error" in entry]
    assert [entry["variant"] for entry in errors] == ["none"]
    files = {entry["file"] for entry in manifest["bundles"]
             if "file" in entry}
    assert files == {str(path.relative_to(folder))
                     for path in folder.glob("bundles/*")}
    # No bundle is there twice, whatever --family=simt comes to.
    assert 9 <= len(files) <= 17
    assert os.access(folder / "run.sh", os.X_OK)


@needs_ctc
def test_a_dry_run_of_a_pack(packed):
    pytest.importorskip("torch")
    folder, _ = packed
    out = folder / "out"
    done = subprocess.run(
        [folder / "run.sh", "--device", "cpu", "--peers", "ctc,eager"],
        env={**os.environ, "PYTHON": sys.executable, "OUT": str(out)},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    runs, found, _ = rows.read_results(out / "peers.jsonl")
    assert runs[0]["dry_run"]
    statuses = {(row["peer"], row["variant"], row["status"]) for row in found}
    # PyTorch adds the bias in bf16 after it has rounded to it.
    assert statuses - {("eager", "", "norm")} == {
        ("ctc", "default", "ok"), ("ctc", "simt", "ok"), ("ctc", "given", "ok"),
        ("ctc", "none", "error"), ("eager", "", "ok")}
    assert len(found) == 16 + 2 + 8
    given = next(row for row in found if row["variant"] == "given")
    assert given["choice"] == "explicit"
    assert given["same_bits"] and given["prepare_s"] > 0
    failed = next(row for row in found if row["variant"] == "none")
    assert failed["message"].startswith("did not compile: ")
    assert "variants" in done.stdout and "DRY RUN" in done.stdout
    assert (out / "peers.md").exists()


@needs_ctc
def test_a_folder_that_is_too_large(shapes_file, tmp_path, capsys):
    if not compiles():
        pytest.skip("no CUDA toolkit")
    status, _, err = make([shapes_file(case()), "-o", tmp_path / "p",
                           "--chip", "sm_80", "--layout", "channels_first",
                           "--limit", "0.001"], capsys)
    assert status == 2 and "must have at most 0.001" in err
    assert not [*tmp_path.glob("p")] and not [*tmp_path.glob(".p*")]
    arguments = [shapes_file(case()), "-o", tmp_path / "p", "--chip", "sm_80",
                 "--layout", "channels_first"]
    status, out, _ = make(arguments, capsys)
    assert status == 0 and "1 bundles of 1 layers" in out
    before = (tmp_path / "p" / "manifest.json").read_bytes()
    status, out, err = make([*arguments, "--limit", "0.001"], capsys)
    assert status == 2 and "must have at most 0.001" in err and not out
    assert (tmp_path / "p" / "manifest.json").read_bytes() == before
    # What is a pack is replaced.
    status, out, _ = make([*arguments, "--filter", "small"], capsys)
    assert status == 0 and not [*tmp_path.glob(".p*")]


@needs_ctc
def test_what_is_not_legal_makes_no_folder(shapes_file, tmp_path, capsys):
    arguments = [shapes_file(case()), "-o", tmp_path / "p"]
    status, out, err = make([*arguments, "--chip", "sm_42"], capsys)
    assert status == 2 and not out
    assert "--chip is 'sm_42', must be one of sm_80, " in err
    for flag, legal in (("--jobs=0", "an integer of at least 1"),
                        ("--jobs=2.5", "an integer of at least 1"),
                        ("--limit=-1", "a number above 0")):
        with pytest.raises(SystemExit, match="2"):
            make([*arguments, flag], capsys)
        assert legal in capsys.readouterr().err
    status, _, err = make([*arguments, "--runtime", tmp_path / "none.so"],
                          capsys)
    assert status == 2 and "none.so" in err
    assert [path.name for path in tmp_path.iterdir()] == ["layers.json"]


@pytest.fixture
def shell(tmp_path):
    """run.sh over programs that do as they are told: measure.py adds LINES
    lines to the results and exits with STATUS."""
    (tmp_path / "run.sh").write_text(pack.RUN)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "measure.py").write_text(
        "import os, sys\n"
        "path = sys.argv[sys.argv.index('--results') + 1]\n"
        "open(path, 'a').write('{}\\n' * int(os.environ['LINES']))\n"
        "sys.exit(int(os.environ['STATUS']))\n")
    (tmp_path / "scripts" / "report.py").write_text("print('the report')\n")
    overhead = tmp_path / "launch-overhead"
    overhead.write_text("#!/bin/sh\necho '{}'\nexit ${OVERHEAD:-0}\n")
    overhead.chmod(0o755)

    def run(*arguments, **environment):
        return subprocess.run(
            ["bash", tmp_path / "run.sh", *arguments],
            env={**os.environ, "PYTHON": sys.executable, "LINES": "0",
                 "STATUS": "0", **environment},
            capture_output=True, text=True, check=False)
    return run


def test_only_a_run_that_measured_is_reported(shell):
    done = shell(LINES="2")
    assert done.returncode == 0 and done.stdout == "the report\n"
    for status in "2", "4":
        done = shell(STATUS=status)
        assert done.returncode == int(status) and done.stdout == ""
        assert done.stderr == "run.sh: nothing was measured\n"
    # The budget ended it, or --resume found all there.
    done = shell(STATUS="5", LINES="1")
    assert done.returncode == 5 and done.stdout == "the report\n"
    assert shell("--resume").stdout == "the report\n"


def test_a_launch_is_measured_where_there_is_a_gpu(shell, tmp_path):
    launch = tmp_path / "results" / "launch.json"
    for arguments in (["--device=cpu"], ["--device", "cpu"]):
        shell(*arguments)
        assert not launch.exists()
    shell(OVERHEAD="4")
    assert [*launch.parent.glob("launch*")] == []
    shell()
    assert launch.read_text() == "{}\n"
