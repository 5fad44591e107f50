#===- test_examples.py - The examples of the pages work --------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs the examples of README.md and docs/, and checks the checker."""

import os
import pathlib
import re
import tempfile
import unittest

import examples

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", ROOT / "build"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


class Pages(unittest.TestCase):
    """One test a page is added below."""

    def run_page(self, page):
        names = {}
        with tempfile.TemporaryDirectory() as folder:
            examples.scratch(ROOT, BUILD, folder)
            for block in examples.blocks(page.read_text()):
                where = f"{page.relative_to(ROOT)}:{block.line}"
                mismatch = {
                    "console": lambda b: examples.run_console(b, folder),
                    "mlir": lambda b: examples.run_mlir(b, folder),
                    "python": lambda b: examples.run_python(b, names),
                }[block.language](block)
                self.assertEqual(mismatch, "", f"{where}: {mismatch}")

    def test_links(self):
        """Links between pages and to sources lead somewhere."""
        link = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
        for page in PAGES:
            for target in link.findall(page.read_text()):
                if "://" not in target:
                    self.assertTrue(
                        (page.parent / target).exists(),
                        f"{page.relative_to(ROOT)}: no file {target}")


class OperatorPage(unittest.TestCase):
    """docs/Operator.md says what the sources say."""

    page = (ROOT / "docs/Operator.md").read_text()

    def test_constraint_labels(self):
        source = (ROOT / "include/ctc/Dialect/CTCOps.td").read_text()
        self.assertEqual(re.findall(r"^\| (C\d+) \|", self.page, re.M),
                         re.findall(r"^ *\* \((C\d+)\)", source, re.M))

    def test_epilogue_operations(self):
        """A cell names a dialect once: `arith.addf` `subf`."""
        source = (ROOT / "lib/Dialect/EpilogueOps.cpp").read_text()
        section = self.page.split("## Epilogue")[1].split("##")[0]
        documented, dialect = set(), ""
        for name in re.findall(r"`([\w.]+)`", "".join(
                line for line in section.splitlines() if line[:1] == "|")):
            head, dot, tail = name.rpartition(".")
            dialect = head if dot else dialect
            documented.add(f"{dialect}.{tail}")
        self.assertEqual(documented, set(
            re.findall(r'"((?:arith|math)\.\w+)"', source)))


def add_page_tests():
    for page in PAGES:
        if examples.blocks(page.read_text()):
            name = re.sub(r"\W", "_", str(page.relative_to(ROOT)))
            setattr(Pages, f"test_page_{name}",
                    lambda self, page=page: self.run_page(page))


add_page_tests()


class Checker(unittest.TestCase):
    def console(self, text):
        block, = examples.blocks(f"Text.\n\n```console test\n{text}```\n")
        self.assertEqual(block.line, 4)
        return examples.run_console(block, ".")

    def test_good_console(self):
        self.assertEqual(self.console("$ echo a \\\n    b\na b\n$ echo c\n...\n"),
                         "")

    def test_wrong_output(self):
        self.assertIn("+b\n", self.console("$ echo b\na\n"))

    def test_failing_command(self):
        self.assertEqual(self.console("$ echo so; exit 3\nso\n"),
                         "exit status 3 from: echo so; exit 3\nso\n")

    def test_unmarked_blocks_are_left_alone(self):
        self.assertEqual(examples.blocks("```console\n$ rm -rf /\n```\n"), [])

    def test_mlir(self):
        command = "// $ printf '%%7 = a.b %%3 : i1\\n%%8 = c.d %%7\\n'\n"
        for lines, good in (("%x = a.b ... i1\n  %y = c.d %x\n", True),
                            ("%y = c.d %x\n%x = a.b ...\n", False),
                            ("%x = a.c\n", False)):
            block = examples.Block("mlir", 1, command + lines)
            self.assertEqual(examples.run_mlir(block, ".") == "", good, lines)

    def test_python(self):
        names = {}
        good = examples.Block("python", 1, ">>> x = 2\n>>> x + 1\n3\n")
        bad = examples.Block("python", 1, ">>> x\n5\n")
        self.assertEqual(examples.run_python(good, names), "")
        self.assertIn("Got:\n    2", examples.run_python(bad, names))


if __name__ == "__main__":
    unittest.main()
