#===- rows.py - Results, one JSON object a line -----------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""A file of results starts with a line {"run": {...}} for every time it was
written to and has one row for every cell that was measured or failed: a layer,
a precision, a layout, a contender and a variant of it. Rows are appended and
flushed as they come; a line cut short by a crash is passed over.
"""

import json
import os
import pathlib

import json_text

# Of a row. `norm`: single outputs are beyond their bounds, the error as a whole
# is within (oracle.py).
MEASURED = ("ok", "norm", "wrong")
FAILED = ("error", "out of memory", "crashed", "time limit", "missing",
          "unsupported")


class ResultsError(Exception):
    """A file of results that cannot be read or written."""


def cell_key(cell):
    return tuple(cell[name] for name in ("layer", "precision", "layout", "peer",
                                         "variant"))


class Results:
    """A file that rows are appended to."""

    def __init__(self, path):
        try:
            self._file = open(path, "a+", encoding="utf-8")
            # A line that a crash cut short must not swallow the next.
            self._file.seek(0, os.SEEK_END)
            if self._file.tell():
                self._file.seek(self._file.tell() - 1)
                if self._file.read(1) != "\n":
                    self._file.write("\n")
        except OSError as error:
            raise ResultsError(f"{path}: cannot be written: {error}") from error

    def append(self, row):
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self):
        self._file.close()


def read_results(path):
    """The runs and the rows of a file, the last row of each cell, and how many
    lines could not be read."""
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ResultsError(f"{path}: cannot be read: {error}") from error
    runs, rows, broken = [], {}, 0
    for line in filter(str.strip, lines):
        try:
            entry = json_text.parse(line)
            if "run" in entry:
                runs.append(entry["run"])
            else:
                rows[cell_key(entry)] = entry
        except (ValueError, KeyError, TypeError):
            broken += 1
    return runs, list(rows.values()), broken
