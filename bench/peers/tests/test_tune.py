#===- test_tune.py - Tables from measured kernels ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
import json
import re
import subprocess

import pytest
from conftest import BUILD, CTC, RUNTIME, case, compiles, needs_ctc

import pack
import packing
import rows
import shapes
import tune

LAYER = case(name="wide", Cin=32, Cout=16, spatial=[16, 16], kernel=[4, 4],
             stride=[2, 2], padding=[1, [1, 0]], output_padding=[0, 1])
PROBLEM = {"N": 2, "Cin": 32, "Cout": 16, "groups": 1, "spatial": [16, 16],
           "kernel": [4, 4], "stride": [2, 2], "padding": [[1, 1], [1, 0]],
           "output_padding": [0, 1], "dilation": [1, 1], "dtype": "f32",
           "precision": "tf32"}


def run(*arguments):
    return tune.main([*map(str, arguments)])


# -- Variants ------------------------------------------------------------------

def test_variants(tmp_path):
    path = tmp_path / "variants.json"
    assert run("variants", "-o", path, "--candidates", 2) == 0
    made = pack.read_variants(path)  # pack.py takes them.
    assert [variant["name"] for variant in made] == [
        "model", "mma_sync-0", "mma_sync-1", "wgmma_ra-0", "wgmma_ra-1",
        "simt-0"]
    assert made[0]["flags"] == ["--no-tuning-table"]
    assert made[2]["flags"] == ["--family=mma_sync", "--candidate=1"]
    assert "ieee" not in made[2]["precisions"]
    assert all("tf32x3" not in variant["precisions"] for variant in made[3:])


def test_places_of_a_ranking_grow_apart():
    assert tune.places(12) == [0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 42, 63]


@pytest.mark.parametrize("flags, message", [
    (["--candidates=0"], "'0' is no number of kernels, must be an integer of "
                         "at least 1"),
    (["--families=simt,wide"], "'wide' is no family, must be of mma_sync, "
                               "wgmma_ra, simt")])
def test_usage_of_variants(tmp_path, capsys, flags, message):
    with pytest.raises(SystemExit) as ended:
        run("variants", "-o", tmp_path / "v.json", *flags)
    assert ended.value.code == 2 and message in capsys.readouterr().err
    assert not (tmp_path / "v.json").exists()


# -- The table -----------------------------------------------------------------

@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A pack of one layer, once more with another name and no bias, in both
    layouts, with a few kernels."""
    if not compiles():
        pytest.skip(f"{CTC} is not built, or has no CUDA toolkit")
    folder = tmp_path_factory.mktemp("tune")
    layers = folder / "layers.json"
    layers.write_text(json.dumps({"cases": [
        LAYER, {**LAYER, "name": "again", "bias": False}]}))
    assert run("variants", "-o", folder / "v.json", "--candidates", 3) == 0
    assert pack.main([str(layers), "-o", str(folder / "pack"), "--chip=sm_90a",
                      "--variants", str(folder / "v.json"), "--build",
                      str(BUILD), "--runtime", str(RUNTIME)]) == 0
    return folder / "pack"


class Bench:
    """Rows as a run on a GPU gives them."""

    def __init__(self, folder, path):
        self.pack, self.path = packing.Pack(folder), path
        self.bundles = tune.Bundles(self.pack, BUILD)
        self.results = rows.Results(path)
        self.results.append({"run": {"gpu": "NVIDIA H200"}})

    def kernel(self, *key):
        said = subprocess.run(
            [CTC, "inspect", "-", "--json"], input=self.pack.bundle(*key),
            capture_output=True, check=True).stdout
        return json.loads(said)["images"][0]["entries"][0]["kernel"]

    def row(self, variant, microseconds, spread=0.1, layer="wide",
            layout="channels_first", **more):
        key = (layer, "tf32", layout, variant)
        row = dict(zip(("layer", "precision", "layout", "variant"), key),
                   peer="ctc", status="ok", uses_ptx=False, dry_run=False,
                   kernel=self.kernel(*key), chip="sm_90a")
        for prefix in ("", "graph_"):
            row.update({f"{prefix}median_s": microseconds * 1e-6,
                        f"{prefix}q1_s": (microseconds - spread) * 1e-6,
                        f"{prefix}q3_s": (microseconds + spread) * 1e-6})
        self.results.append({**row, **more})

    def table(self, output):
        status = run("table", self.pack.folder, self.path, "-o", output,
                     "--build", BUILD)
        return status, json.loads(output.read_text())["entries"] \
            if output.exists() else None


@pytest.fixture
def bench(packed, tmp_path):
    made = Bench(packed, tmp_path / "results.jsonl")
    yield made
    made.results.close()


@pytest.fixture
def output(tmp_path):
    return tmp_path / "sm_90a.json"


@needs_ctc
def test_the_fastest_enters_and_the_compiler_takes_it(bench, output, tmp_path,
                                                      capsys):
    bench.row("model", 20)
    bench.row("mma_sync-1", 15)
    bench.row("mma_sync-2", 12)
    bench.row("simt-0", 11, status="wrong")
    status, [entry] = bench.table(output)
    assert status == 0
    assert entry == {
        "layers": ["wide"], "problem": {**PROBLEM, "layout": "channels_first"},
        "kernel": bench.kernel("wide", "tf32", "channels_first", "mma_sync-2"),
        "board": "NVIDIA H200", "seconds": 12e-6, "model_seconds": 20e-6}
    said = capsys.readouterr().out
    assert "wide tf32 channels_first: 20.0 to 12.0 us, 1.67x, mma_sync-2" in \
        said and "1 entries; of 1 problems measured 1 have one" in said
    layer = shapes.read_case(LAYER, "case")
    bundle = tmp_path / "tuned.ctcb"
    subprocess.run([CTC, "compile", *pack.layer_flags(
        layer, "tf32", "channels_first"), "--chip=sm_90a", "-o", bundle,
        f"--tuning-table={output}"], check=True)
    said = json.loads(subprocess.run(
        [CTC, "inspect", bundle, "--json"], capture_output=True,
        check=True).stdout)["images"][0]["entries"][0]
    assert said["choice_source"] == "table"
    assert tune.without_source(said["kernel"]) == tune.without_source(
        entry["kernel"])


@needs_ctc
def test_what_is_within_the_noise_does_not_enter(bench, output):
    bench.row("model", 20, spread=0.1)
    bench.row("mma_sync-1", 19.5, spread=0.2)
    assert len(bench.table(output)[1]) == 1
    output.unlink()
    bench.row("mma_sync-1", 19.5, spread=0.45)  # Quartiles meet.
    assert bench.table(output) == (0, [])
    # The model's kernel, timed once more under another name, tells the noise
    # between cells.
    bench.row("mma_sync-1", 18, spread=0.1)
    assert len(bench.table(output)[1]) == 1
    output.unlink()
    bench.row("wgmma_ra-0", 18.1, spread=0.1)
    assert bench.kernel("wide", "tf32", "channels_first", "wgmma_ra-0") == \
        bench.kernel("wide", "tf32", "channels_first", "model")
    assert bench.table(output) == (0, [])


@needs_ctc
def test_single_calls_count_where_not_all_have_a_graph(bench, output):
    bench.row("model", 20, graph_median_s=2e-6, graph_q1_s=2e-6,
              graph_q3_s=2e-6)
    bench.row("mma_sync-1", 12)
    assert bench.table(output) == (0, [])  # By the graphs 12 is slower.
    key = "mma_sync-2"
    bench.row(key, 13)
    text = bench.path.read_text().splitlines()
    last = {name: value for name, value in json.loads(text[-1]).items()
            if not name.startswith("graph_")}
    bench.path.write_text("\n".join([*text[:-1], json.dumps(last)]) + "\n")
    assert bench.table(output)[1][0]["seconds"] == 12e-6


@needs_ctc
def test_layers_that_are_one_problem_share_an_entry(bench, output):
    """A bias decides no kernel; a layout does."""
    bench.row("model", 20)
    bench.row("mma_sync-1", 12)
    bench.row("model", 21, layer="again")
    bench.row("mma_sync-1", 13, layer="again")
    bench.row("model", 30, layout="channels_last")
    bench.row("mma_sync-1", 25, layout="channels_last")
    _, entries = bench.table(output)
    assert [(entry["problem"]["layout"], entry["layers"], entry["seconds"])
            for entry in entries] == [
        ("channels_first", ["wide", "again"], 12.5e-6),
        ("channels_last", ["wide"], 25e-6)]


@needs_ctc
def test_entries_of_before(bench, output, capsys):
    bench.row("model", 20)
    bench.row("mma_sync-1", 12)
    other = {"layers": ["x"], "problem": {"N": 1}, "kernel": "k", "board": "b",
             "seconds": 1e-6, "model_seconds": 2e-6}

    def before(*entries):
        output.write_text(tune.table_text("sm_90a", {
            tune.key_of(entry["problem"]): entry for entry in entries}))

    before(other)
    _, entries = bench.table(output)
    assert len(entries) == 2 and other in entries
    mine = next(entry for entry in entries if entry != other)
    # Measured again, it is as fast as the model's: it goes.
    bench.row("mma_sync-1", 20)
    assert bench.table(output)[1] == [other]
    assert "dropped, the model's is as fast" in capsys.readouterr().out
    # A kernel that this run does not have stays while it is faster.
    bench.row("mma_sync-1", 12)
    unknown = {**mine, "kernel": "#ctc.kernel<other>", "seconds": 11e-6}
    before(unknown)
    assert bench.table(output)[1] == [unknown]
    assert "its kernel was not measured this time" in capsys.readouterr().out
    before({**unknown, "seconds": 13e-6})
    assert bench.table(output)[1] == [mine]


@needs_ctc
def test_a_kernel_that_spills_does_not_enter(bench, output, monkeypatch):
    bench.row("model", 20)
    bench.row("mma_sync-1", 12)
    bench.row("mma_sync-2", 15)
    fastest = bench.kernel("wide", "tf32", "channels_first", "mma_sync-1")
    real = tune.Bundles.image

    def image(self, row):
        found = real(self, row)
        if row["kernel"] == fastest:
            found["kernels"][0]["spill_load_bytes"] = 8
        return found

    monkeypatch.setattr(tune.Bundles, "image", image)
    assert bench.table(output)[1][0]["seconds"] == 15e-6


@needs_ctc
def test_rows_that_are_no_times(bench, output, capsys):
    def refused(message):
        assert bench.table(output) == (2, None)
        assert re.search(message, capsys.readouterr().err)

    bench.row("model", 20, dry_run=True)
    bench.row("mma_sync-1", 12, uses_ptx=True)
    refused("no row of ctc has a checked time of a GPU")
    bench.row("mma_sync-1", 12)
    assert bench.table(output) == (0, [])
    assert "passed over, as the variant 'model' has no checked time" in \
        capsys.readouterr().err
    output.unlink()
    bench.row("model", 20, kernel="#ctc.kernel<another>")
    refused("the results are of another kernel than the pack's")
    bench.results.append({"run": {"gpu": "NVIDIA H100"}})
    refused(r"are of 2 boards \(NVIDIA H100, NVIDIA H200\), must be of one")


@needs_ctc
@pytest.mark.parametrize("text, message", [
    ("{", "is no tuning table"), ("[]", "is no tuning table"),
    ("[" * 50000 + "]" * 50000, "is nested too deep"),
    ('{"format": 1, "chip": "sm_80", "entries": []}',
     "is of format 1 for sm_80, must be of format 1 for sm_90a"),
    ('{"format": 2, "chip": "sm_90a", "entries": []}', "is of format 2")])
def test_a_table_that_is_none_stays(bench, output, capsys, text, message):
    bench.row("model", 20)
    bench.row("mma_sync-1", 12)
    output.write_text(text)
    assert run("table", bench.pack.folder, bench.path, "-o", output,
               "--build", BUILD) == 2
    assert message in capsys.readouterr().err
    assert output.read_text() == text


def test_usage_of_table(tmp_path, capsys):
    assert run("table", tmp_path, tmp_path / "none", "-o",
               tmp_path / "t.json") == 2
    assert "is no manifest of a pack" in capsys.readouterr().err


def test_an_empty_table_is_the_shipped_form():
    """What tune.py writes without entries reads back as such."""
    assert json.loads(tune.table_text("sm_80", {})) == {
        "format": 1, "chip": "sm_80", "entries": []}
