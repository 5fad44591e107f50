#===- pycases.py - Reports a Python test case by case ----------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Runs a unittest file and writes a JUnit report, as GoogleTest does.

    python3 -m devtool.pycases NAME file.py

With CTC_CASES set to a folder, the report is NAME.xml in it: so `./dev test`
counts each case, and lists each skipped one with its reason.
"""

import importlib.util
import os
import pathlib
import sys
import unittest
import xml.etree.ElementTree as ElementTree


class CaseResult(unittest.TextTestResult):
    """Remembers every case in the order they ran."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.report = ElementTree.Element("testsuite")

    def startTest(self, test):
        super().startTest(test)
        group, _, name = test.id().removeprefix("__main__.").rpartition(".")
        self.case = ElementTree.SubElement(self.report, "testcase",
                                           classname=group, name=name)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        ElementTree.SubElement(self.case, "skipped", message=reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        ElementTree.SubElement(self.case, "failure")

    def addError(self, test, err):
        super().addError(test, err)
        ElementTree.SubElement(self.case, "failure")

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            ElementTree.SubElement(self.case, "failure")


def load(path):
    """The file as a module, with its own folder on the path like a script."""
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main(name, file):
    module = load(pathlib.Path(file))
    suite = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(resultclass=CaseResult,
                                     verbosity=2).run(suite)
    folder = os.environ.get("CTC_CASES")
    if folder:
        ElementTree.ElementTree(result.report).write(
            pathlib.Path(folder, f"{name}.xml"))
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
