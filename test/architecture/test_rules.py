#===- test_rules.py - The rules hold, and are able to fail -----------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The tree obeys the rules; a planted violation of each is found."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CTC_BUILD_DIR", ROOT / "build"))


def banner(name):
    """A legal head of two lines; what follows stands on line 3."""
    return f"//===- {name} - Planted ---===//\n// {rules.LICENSE_TAG}\n"


class Tree(unittest.TestCase):
    def test_this_tree_obeys(self):
        self.assertEqual(rules.violations(ROOT), [])

    def test_runtime_library_needs_no_llvm(self):
        libraries = sorted((BUILD / "lib").glob("libctc_runtime.so*"))
        if not libraries:
            self.skipTest("libctc_runtime.so is not built")
        needed = subprocess.run(["readelf", "-d", libraries[0]], text=True,
                                capture_output=True, check=True).stdout
        self.assertIn("NEEDED", needed)
        for name in ("libLLVM", "libMLIR", "libcuda"):
            self.assertNotIn(name, needed)


class Planted(unittest.TestCase):
    """Each test plants files and expects exactly the violation named."""

    def expect(self, files, *violations):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in files.items():
                path = pathlib.Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
            self.assertEqual(rules.violations(folder), list(violations))

    def pair(self, folder, text):
        """A header and a source of one folder; `text` goes to the source."""
        return {f"include/ctc/{folder}/A.h": banner("A.h"),
                f"lib/{folder}/A.cpp": banner("A.cpp") + text}

    def test_legal_tree(self):
        self.expect({**self.pair("Support", "#include <vector>\n"),
                     **self.pair("Tuning", '#include "ctc/Chips/A.h"\n'
                                 '#include "ctc/Dialect/A.h"\n'
                                 '#include "llvm/ADT/Twine.h"\n')})

    def test_arrow_down_the_runtime_wing(self):
        self.expect(self.pair("Reference", '#include "ctc/Runtime/C.h"\n'),
                    "lib/Reference/A.cpp:3: Reference may not include "
                    "ctc/Runtime")

    def test_compiler_wing_reaches_into_runtime_wing(self):
        for folder in ("Reference", "PtxMachine", "Runtime"):
            self.expect(self.pair("CodeGen", f"#include <ctc/{folder}/A.h>\n"),
                        "lib/CodeGen/A.cpp:3: CodeGen may not include "
                        f"ctc/{folder}")

    def test_shared_folder_reaches_into_a_wing(self):
        self.expect(self.pair("Bundle", '#include "ctc/Dialect/CTC.h"\n'),
                    "lib/Bundle/A.cpp:3: Bundle may not include ctc/Dialect")

    def test_driver_sees_both_wings_and_nobody_sees_it(self):
        self.expect({**self.pair("Driver", '#include "ctc/Runtime/C.h"\n'
                                 '#include "ctc/Pipelines/P.h"\n'),
                     **self.pair("Pipelines", '#include "ctc/Driver/D.h"\n')},
                    "lib/Pipelines/A.cpp:3: Pipelines may not include "
                    "ctc/Driver")

    def test_llvm_in_the_runtime_wing(self):
        self.expect(self.pair("PtxMachine", "#include <llvm/ADT/APInt.h>\n"),
                    "lib/PtxMachine/A.cpp:3: PtxMachine is used by the "
                    "runtime wing and may not include llvm/ADT/APInt.h")

    def test_link_list(self):
        self.expect({**self.pair("Runtime", ""), "lib/Runtime/CMakeLists.txt":
                     "ctc_add_runtime_library(CtcRuntime\n"
                     "  SOURCES\n    CtcTuning\n"
                     "  DEPENDS CtcBundle CtcTuning\n"
                     "  PRIVATE_DEPENDS LLVMSupport)\n"},
                    "lib/Runtime/CMakeLists.txt:4: CtcRuntime may not link "
                    "CtcTuning",
                    "lib/Runtime/CMakeLists.txt:5: CtcRuntime may not link "
                    "LLVMSupport")

    def test_target_link_libraries(self):
        self.expect({**self.pair("CodeGen", ""), "lib/CodeGen/CMakeLists.txt":
                     "target_link_libraries(CtcCodeGen PUBLIC CtcBundle\n"
                     "  PRIVATE CtcReference) # the oracle\n"},
                    "lib/CodeGen/CMakeLists.txt:2: CtcCodeGen may not link "
                    "CtcReference")

    def test_wrong_wing_function(self):
        self.expect({**self.pair("Bundle", ""), "lib/Bundle/CMakeLists.txt":
                     "ctc_add_compiler_library(CtcBundle SOURCES A.cpp)\n"},
                    "lib/Bundle/CMakeLists.txt:1: Bundle may not be built by "
                    "ctc_add_compiler_library")

    def test_option_global(self):
        self.expect(self.pair("Transforms", "// cl::opt is banned\n"
                              "static llvm::cl::opt<int> tile(\"tile\");\n"),
                    "lib/Transforms/A.cpp:4: cl::opt is a global option; pass "
                    "an options struct instead")

    def test_folders(self):
        self.expect({"include/ctc/Chips/A.h": banner("A.h"),
                     "lib/Tuning/A.cpp": banner("A.cpp"), **self.pair("Utils", "")},
                    "include/ctc/Utils: not a folder of docs/Architecture.md",
                    "lib/Utils: not a folder of docs/Architecture.md",
                    "include/ctc/Chips: has no counterpart lib/Chips",
                    "lib/Tuning: has no counterpart include/ctc/Tuning")

    def test_license(self):
        self.expect({"scripts/a.py": "print(1)\n"},
                    f"scripts/a.py:1: no line '{rules.LICENSE_TAG}'")

    def test_banner(self):
        message = ("tools/a.cpp:1: must be '//===- a.cpp - ... ---===//' "
                   "within 80 columns")
        for first in ("//===- b.cpp - Another's ---===//", "// A comment",
                      "//===- a.cpp - " + "-" * 70 + "===//"):
            self.expect({"tools/a.cpp": f"{first}\n// {rules.LICENSE_TAG}\n"},
                        message)

    def test_length(self):
        at_most = banner("a.cpp") + "\n" * (rules.MAX_LINES - 2)
        self.expect({"tools/a.cpp": at_most})
        self.expect({"tools/a.cpp": at_most + "\n"},
                    "tools/a.cpp:601: 601 lines, at most 600")


if __name__ == "__main__":
    unittest.main()
