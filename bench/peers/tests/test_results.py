#===- test_results.py - Statistics, rows and reports ------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
import json

import pytest

import report
import rows
import summary


def test_summary_of_samples():
    assert summary.summarize([4, 1, 3, 2]) == {
        "median": 2.5, "q1": 1.75, "q3": 3.25, "min": 1, "samples": 4}
    assert summary.summarize([5])["q3"] == 5
    with pytest.raises(ValueError):
        summary.summarize([])
    assert summary.geometric_mean([1, 4, 16]) == pytest.approx(4)
    assert summary.geometric_mean([]) is None


def row(layer="a", peer="ctc", microseconds=10.0, status="ok", **more):
    made = {"layer": layer, "precision": "tf32", "layout": "channels_first",
            "peer": peer, "variant": "default" if peer == "ctc" else "",
            "status": status, "floor_s": 5e-6, **more}
    if status in rows.MEASURED:
        made.update(median_s=microseconds * 1e-6, wrong=0, outputs=8,
                    error_over_bound=0.5)
    return made


def test_rows_are_appended_and_a_cut_line_is_passed_over(tmp_path):
    path = tmp_path / "results.jsonl"
    results = rows.Results(path)
    results.append({"run": {"gpu": "H200"}})
    results.append(row())
    results.append(row("b"))
    results.close()
    path.write_text(path.read_text()[:-30])  # As a crash leaves it.
    results = rows.Results(path)
    results.append(row("c"))
    results.append(row(microseconds=20.0))  # Measured anew.
    results.close()
    runs, found, broken = rows.read_results(path)
    assert runs == [{"gpu": "H200"}]
    assert [(r["layer"], r["median_s"]) for r in found] == [
        ("a", pytest.approx(20e-6)), ("c", pytest.approx(10e-6))]
    assert broken == 1
    with pytest.raises(rows.ResultsError, match="cannot be read"):
        rows.read_results(tmp_path / "none")
    with pytest.raises(rows.ResultsError, match="cannot be written"):
        rows.Results(tmp_path / "none" / "none")


@pytest.fixture
def comparison():
    return report.Comparison([
        row("a", microseconds=10), row("a", "eager", 40),
        row("a", "compile", 20), row("a", "reference:x", 5, "wrong"),
        row("b", microseconds=10), row("b", "eager", 10, "norm"),
        row("b", "compile", status="time limit"),
        row("b", variant="fast", microseconds=8, graph_median_s=4e-6),
        {**row("b", "eager", 2), "layout": "channels_last"},
        row("c", status="out of memory"), row("c", "eager", 10)])


def place(layer, layout="channels_first"):
    return layer, "tf32", layout


def test_speedups_over_contenders(comparison):
    assert comparison.speedup(place("a"), "eager") == pytest.approx(4)
    # A wrong result is no time to compare with.
    assert comparison.speedup(place("a"), "reference:x") is None
    assert comparison.speedup(place("a"), "best") == pytest.approx(2)
    # The fastest variant, its graph where there is one.
    assert comparison.speedup(place("b"), "eager") == pytest.approx(2.5)
    assert comparison.fraction(place("b")) == pytest.approx(1.25)
    # The best of all has another layout.
    assert comparison.speedup(place("b"), "best") == pytest.approx(0.5)
    assert comparison.speedup(place("c"), "eager") is None
    assert comparison.fraction(place("c")) is None


def test_means(comparison):
    means = comparison.means()
    assert means["tf32", "channels_first", "eager"] == (
        pytest.approx(10 ** 0.5), 2)
    assert means["tf32", "channels_first", "compile"] == (pytest.approx(2), 1)
    assert means["tf32", "channels_first", "best"] == (pytest.approx(1), 2)
    assert means["tf32", "channels_first", ""][1] == 2
    assert ("tf32", "channels_last", "eager") not in means


def test_one_variant_of_several():
    both = [row("b"), row("b", variant="fast", microseconds=4)]
    found = report.Comparison(both, "default")
    assert found.row(place("b"), "ctc")["variant"] == "default"
    header, lines = report.variants_table(both)
    assert header[4:] == ["default", "fast", "fastest"]
    assert lines == [["b", "tf32", "first", "5.0", "10.0", "4.0",
                      "fast (125%)"]]


def results_file(tmp_path):
    path = tmp_path / "results.jsonl"
    lines = [{"run": {"gpu": "NVIDIA H200", "torch": "2.11"}}, row("a|b"),
             row("a|b", "eager", 40),
             row("c", status="out of memory", message="no 2 TiB")]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + "{")
    return path


def test_the_program_prints_and_writes(tmp_path, capsys):
    markdown = tmp_path / "table.md"
    assert report.main([str(results_file(tmp_path)), "--markdown",
                        str(markdown)]) == 0
    said = capsys.readouterr()
    assert "NVIDIA H200, PyTorch 2.11" in said.out
    assert "4.00x" in said.out
    assert "c tf32 channels_first ctc default: out of memory: no 2 TiB" in \
        said.out
    assert "1 lines passed over" in said.err
    text = markdown.read_text()
    assert "| a\\|b | tf32 | first | 5.0 | 10.0 | 50% | 40.0 (4.00x) | 4.00x |" in text
    assert "* c tf32 channels_first ctc default: out of memory" in text
    assert report.main([str(tmp_path / "none.jsonl")]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_plot_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    plot = tmp_path / "plot.png"
    assert report.main([str(results_file(tmp_path)), "--plot",
                        str(plot)]) == 0
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_a_table_on_a_terminal_is_not_cut(tmp_path, capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")
    header, lines = ["layer"] * 3 + ["number"] * 9, [["abcdefghij"] * 12]
    report.print_table("title", header, lines)
    assert capsys.readouterr().out.count("abcdefghij") == 12


def test_without_rich_and_matplotlib(tmp_path, capsys, monkeypatch):
    for name in ("rich", "rich.console", "rich.table", "matplotlib"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    assert report.main([str(results_file(tmp_path)), "--plot",
                        str(tmp_path / "plot.png")]) == 0
    said = capsys.readouterr()
    assert "4.00x" in said.out
    assert "report: no plot: " in said.err


def test_a_report_of_nothing(tmp_path, capsys):
    path = tmp_path / "results.jsonl"
    path.write_text("[" * 50000 + "\n" + json.dumps({"run": {}}) + "\n")
    assert report.main([str(path)]) == 2
    said = capsys.readouterr()
    assert "results.jsonl: no row, must have at least one" in said.err
    assert "1 lines passed over" in said.err and not said.out
