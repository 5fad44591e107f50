#===- report.py - Tables and a plot of results ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""    report.py RESULTS.jsonl... [--markdown FILE.md] [--plot FILE.png]
        [--variants]

Prints a table (with rich where it is installed) with a line per layer,
precision and layout, and geometric means of the speed-up over every contender.
--variants prints the variants of ctc side by side instead. A time is the median
of single calls, for layers with a CUDA graph's replay that. Exit code 2 when a
file cannot be read, or there is no row.
"""

import argparse
import pathlib
import sys

import packing
import rows
import summary


def seconds_of(row):
    """None for a row without a time that counts."""
    if row is None or row["status"] not in ("ok", "norm"):
        return None
    return row.get("graph_median_s") or row["median_s"]


def place_of(row):
    return row["layer"], row["precision"], row["layout"]


class Comparison:
    """Rows by place (layer, precision, layout), of ctc its fastest variant or
    the one of that name."""

    def __init__(self, results, variant=None):
        self.places, self.by_place = [], {}
        for row in results:
            place = place_of(row)
            if place not in self.by_place:
                self.places.append(place)
                self.by_place[place] = {}
            if row["peer"] == "ctc" and variant not in (None, row["variant"]):
                continue
            known = self.by_place[place].get(row["peer"])
            if known is None or (seconds_of(row) or float("inf")) < (
                    seconds_of(known) or float("inf")):
                self.by_place[place][row["peer"]] = row

    def row(self, place, peer):
        return self.by_place[place].get(peer)

    def peers(self):
        """Names other than ctc, in the order of their first row."""
        names = {}
        for found in self.by_place.values():
            names.update(dict.fromkeys(found))
        names.pop("ctc", None)
        return list(names)

    def best_peer(self, place):
        """The fastest row of any contender of the layer and precision, whatever
        its layout; None without one."""
        layer, precision, _ = place
        best = None
        for other, found in self.by_place.items():
            if other[:2] != (layer, precision):
                continue
            for name, row in found.items():
                seconds = seconds_of(row)
                if name != "ctc" and seconds and (
                        best is None or seconds < seconds_of(best)):
                    best = row
        return best

    def speedup(self, place, peer):
        """Time of a contender over ctc's, None where one is missing. `best` is
        the fastest of all in any layout."""
        ours = seconds_of(self.row(place, "ctc"))
        theirs = seconds_of(self.best_peer(place) if peer == "best" else
                            self.row(place, peer))
        return theirs / ours if ours and theirs else None

    def fraction(self, place):
        """The floor over ctc's time."""
        row = self.row(place, "ctc")
        seconds = seconds_of(row)
        return row["floor_s"] / seconds if seconds and row.get("floor_s") \
            else None

    def means(self):
        """{(precision, layout, peer): (geometric mean, layers)}; without a peer
        it is that of the fraction of the floor."""
        means = {}
        for precision, layout in dict.fromkeys(p[1:] for p in self.places):
            places = [p for p in self.places if p[1:] == (precision, layout)]
            for peer in [*self.peers(), "best"]:
                ratios = [r for r in (self.speedup(p, peer) for p in places)
                          if r]
                if ratios:
                    means[precision, layout, peer] = (
                        summary.geometric_mean(ratios), len(ratios))
            fractions = [f for f in map(self.fraction, places) if f]
            if fractions:
                means[precision, layout, ""] = (
                    summary.geometric_mean(fractions), len(fractions))
        return means


# -- Tables --------------------------------------------------------------------

def short_peer(peer):
    return peer.removeprefix("reference:").removeprefix("conv_transpose")


def cell_text(row):
    """A time in microseconds, or why there is none."""
    if row is None:
        return ""
    if row["status"] not in rows.MEASURED:
        return {"unsupported": "-"}.get(row["status"], row["status"])
    seconds = row.get("graph_median_s") or row["median_s"]
    mark = {"ok": "", "norm": "~", "wrong": " WRONG"}[row["status"]]
    return f"{seconds * 1e6:.1f}{mark}"


def shorten(name, most=44):
    return name if len(name) <= most else name[:most - 3] + "..."


def ratio_text(value):
    return "" if value is None else f"{value:.2f}x"


def peer_text(row, speedup):
    """A time with its ratio to ctc's."""
    text = cell_text(row)
    return text if speedup is None else f"{text} ({ratio_text(speedup)})"


def percent(value):
    return "" if value is None else f"{value:.0%}"


def main_table(comparison):
    """Header and lines: times in microseconds, in brackets over ctc's."""
    peers = comparison.peers()
    header = ["layer", "precision", "layout", "floor", "ctc", "of floor"]
    header += [*map(short_peer, peers), "best"]
    lines = []
    for place in comparison.places:
        ours = comparison.row(place, "ctc")
        some = ours or next(iter(comparison.by_place[place].values()))
        floor = some.get("floor_s")
        line = [shorten(place[0]), place[1], place[2].removeprefix("channels_"),
                "" if not floor else f"{floor * 1e6:.1f}", cell_text(ours),
                percent(comparison.fraction(place))]
        line += [peer_text(comparison.row(place, peer),
                           comparison.speedup(place, peer)) for peer in peers]
        lines.append(line + [ratio_text(comparison.speedup(place, "best"))])
    return header, lines


def means_table(comparison):
    header = ["precision", "layout", "against", "geometric mean", "layers"]
    lines = []
    for (precision, layout, peer), (mean, count) in comparison.means().items():
        name = {"": "the floor (fraction)", "best": "the best of all"}.get(
            peer, short_peer(peer))
        text = f"{mean:.1%}" if peer == "" else f"{mean:.2f}x"
        lines.append([precision, layout.removeprefix("channels_"), name, text,
                      str(count)])
    return header, lines


def variants_table(results):
    """The variants of ctc side by side, the fastest marked."""
    ours = [row for row in results if row["peer"] == "ctc"]
    names = list(dict.fromkeys(row["variant"] for row in ours))
    found = {(place_of(row), row["variant"]): row for row in ours}
    header = ["layer", "precision", "layout", "floor", *names, "fastest"]
    lines = []
    for place in dict.fromkeys(map(place_of, ours)):
        times = {name: found.get((place, name)) for name in names}
        known = {name: seconds_of(row) for name, row in times.items()
                 if seconds_of(row)}
        best = min(known, key=known.get) if known else ""
        floor = next((row["floor_s"] for row in times.values()
                      if row and row.get("floor_s")), None)
        fraction = f" ({floor / known[best]:.0%})" if best and floor else ""
        lines.append([shorten(place[0]), place[1],
                      place[2].removeprefix("channels_"),
                      "" if not floor else f"{floor * 1e6:.1f}",
                      *(cell_text(times[name]) for name in names),
                      best + fraction])
    return header, lines


def messages(results):
    """What is to be known about rows that have no time, or a wrong result."""
    lines = []
    for row in results:
        if row["status"] in ("ok", "norm", "unsupported"):
            continue
        what = row.get("message") or (
            f"{row['wrong']} of {row['outputs']} outputs wrong, worst error "
            f"{row['error_over_bound']} of the bound")
        name = " ".join(filter(None, (*place_of(row), row["peer"],
                                      row["variant"])))
        lines.append(f"{name}: {row['status']}: {what}")
    return lines


def print_table(title, header, lines):
    """With rich on a terminal, else as plain columns, as wide as needed."""
    if not lines:
        return
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        Console = None
    if Console is None or not sys.stdout.isatty():
        widths = [max(map(len, column)) for column in zip(header, *lines)]
        print(f"\n{title}")
        for line in [header, *lines]:
            print("  ".join(text.ljust(width) if index < 3 else
                            text.rjust(width) for index, (text, width)
                            in enumerate(zip(line, widths))).rstrip())
        return
    table = Table(title=title)
    for index, name in enumerate(header):
        table.add_column(name, justify="left" if index < 3 else "right",
                         no_wrap=index > 0)
    for line in lines:
        table.add_row(*line)
    # Wider than the terminal rather than cut.
    width = Console(width=10_000).measure(table).maximum
    Console(width=max(width, Console().width)).print(table)


def markdown_table(header, lines):
    def line(texts):
        return "| " + " | ".join(text.replace("|", "\\|")
                                 for text in texts) + " |"

    rule = ["---" if index < 3 else "--:" for index in range(len(header))]
    return "\n".join(map(line, [header, rule, *lines]))


def run_text(run):
    """What a run was made on, in a sentence."""
    rates = run.get("rates")
    parts = [run.get("gpu") or run.get("device", "?"),
             f"PyTorch {run.get('torch')}"]
    for name, title in (("driver", "driver"), ("cuda", "CUDA"), ("cudnn", "cuDNN"),
                        ("triton", "Triton")):
        if run.get(name):
            parts.append(f"{title} {run[name]}")
    text = ", ".join(parts)
    if run.get("dry_run"):
        text = f"DRY RUN, times mean nothing: {text}"
    if rates:
        text += (f"; floors with {rates['memory'] / 1e12:g} TB/s, "
                 f"{rates['tf32'] / 1e12:g} TFLOP/s tf32, "
                 f"{rates['sixteen'] / 1e12:g} 16-bit, "
                 f"{rates['f32'] / 1e12:g} f32 ({rates['board']}, "
                 f"{rates['source']})")
    found = run.get("ceilings")
    if found:
        text += (f"; in this run a copy reached {found['copy'] / 1e12:.2f} TB/s, "
                 f"products of matrices {found['tf32'] / 1e12:.0f} TFLOP/s tf32 "
                 f"and {found['bf16'] / 1e12:.0f} bf16")
    return text


LEGEND = ("Times in microseconds, medians, cold second-level cache; in brackets a "
          "contender's time over ctc's; `best` is that of the fastest of all in "
          "any layout. -: does not serve the layer. ~: single outputs are beyond their error bound, the error "
          "as a whole is within.")


def write_markdown(path, runs, tables, notes):
    parts = [f"{run_text(run)}." for run in runs] + [LEGEND]
    parts += [f"### {title}\n\n{markdown_table(header, lines)}"
              for title, header, lines in tables if lines]
    if notes:
        parts.append("### What failed\n\n" +
                     "\n".join(f"* {note}" for note in notes))
    path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


# -- The plot ------------------------------------------------------------------

def write_plot(path, comparison):
    """Above the speed-up of every layer over each contender, below the fraction
    of the floor; a column of panels per precision and layout."""
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    kinds = list(dict.fromkeys(place[1:] for place in comparison.places))
    most = max(sum(p[1:] == kind for p in comparison.places) for kind in kinds)
    figure, axes = pyplot.subplots(
        2, len(kinds), squeeze=False, layout="constrained",
        figsize=(max(6, 0.22 * most + 2) * len(kinds), 10))
    for (upper, lower), kind in zip(axes.T, kinds):
        _plot_kind(upper, lower, comparison, kind)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _plot_kind(upper, lower, comparison, kind):
    places = [p for p in comparison.places if p[1:] == kind]
    at = range(len(places))
    for peer in comparison.peers():
        points = [(x, comparison.speedup(p, peer))
                  for x, p in zip(at, places)]
        points = [point for point in points if point[1]]
        if points:
            upper.plot(*zip(*points), "o", markersize=4, label=short_peer(peer))
    upper.axhline(1, color="black", linewidth=0.8)
    upper.set_yscale("log")
    upper.set_ylabel("speed-up of ctc")
    upper.set_title(f"{kind[0]}, {kind[1].replace('_', ' ')}")
    if upper.get_legend_handles_labels()[0]:
        upper.legend(fontsize=8)
    upper.set_xticks([])
    fractions = [comparison.fraction(p) or 0 for p in places]
    lower.bar(at, [100 * f for f in fractions], color="tab:green")
    lower.set_ylabel("percent of the floor")
    lower.set_ylim(0, 105)
    lower.set_xticks(list(at), [p[0][:40] for p in places], rotation=90,
                     fontsize=7)


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+")
    parser.add_argument("--markdown", type=pathlib.Path)
    parser.add_argument("--plot", type=pathlib.Path)
    parser.add_argument("--variants", action="store_true",
                        help="variants of ctc side by side")
    parser.add_argument("--variant", metavar="NAME",
                        help="compare this variant (default: the fastest)")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_arguments(arguments)
    runs, results = [], {}
    try:
        for path in options.results:
            more_runs, more_rows, broken = rows.read_results(path)
            runs += more_runs
            results.update({rows.cell_key(row): row for row in more_rows})
            if broken:
                print(f"report: {path}: {broken} lines passed over that are no "
                      "rows", file=sys.stderr)
    except rows.ResultsError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    results = list(results.values())
    if not results:
        print(f"report: {', '.join(map(str, options.results))}: no row, must "
              "have at least one", file=sys.stderr)
        return 2
    comparison = Comparison(results, options.variant)
    several = {row["variant"] for row in results if row["peer"] == "ctc"} - {
        packing.DEFAULT}
    tables = [("variants", *variants_table(results))] \
        if options.variants or several else []
    if not options.variants:
        tables += [("layers", *main_table(comparison)),
                   ("geometric means", *means_table(comparison))]
    runs = list({run_text(run): run for run in runs}.values())
    for run in runs:
        print(run_text(run))
    for title, header, lines in tables:
        print_table(title, header, lines)
    notes = messages(results)
    for note in notes:
        print(note)
    if options.markdown:
        write_markdown(options.markdown, runs, tables, notes)
    if options.plot and comparison.places:
        try:
            write_plot(options.plot, comparison)
        except ImportError as error:
            print(f"report: no plot: {error}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
