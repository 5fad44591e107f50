#===- test_devtool.py - The parts of ./dev that decide ---------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Package lists, the search for a CUDA toolkit, the help, and the count of
tests."""

import io
import pathlib
import tempfile
import unittest
from unittest import mock

from devtool import __main__ as devtool
from devtool import building, cuda, debian, python, testing
from devtool.common import Failure


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, text="", mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path


class Packages(unittest.TestCase):
    def test_list(self):
        text = "# compiler\nclang-22\n\nlld-22  # linker\n"
        self.assertEqual(debian.wanted_packages(text), ["clang-22", "lld-22"])

    def test_nothing_to_do(self):
        with mock.patch.object(debian, "installed_packages",
                               return_value={"clang-22"}), \
             mock.patch.object(debian.shutil, "which", return_value="/x"), \
             mock.patch.object(debian, "run") as run:
            debian.install_missing(["clang-22"])
        run.assert_not_called()

    def test_neither_root_nor_sudo(self):
        with mock.patch.object(debian.os, "geteuid", return_value=1000), \
             mock.patch.object(debian.shutil, "which", return_value=None):
            with self.assertRaises(Failure) as raised:
                debian.root_prefix(["lld-22"])
        self.assertEqual(str(raised.exception), "installing packages needs "
                         "root or sudo; as root run: apt-get install lld-22")
        self.assertEqual(raised.exception.code, 3)

    def test_unknown_package_is_named(self):
        policy = "lld-22:\n  Candidate: 1:22\nllm-22:\n  Candidate: (none)\n"
        with mock.patch.object(debian, "output_of", return_value=policy):
            self.assertEqual(debian.packages_without_candidate(
                ["lld-22", "llm-22", "lld-99"]), ["llm-22", "lld-99"])


class Toolkit(Scratch):
    def toolkit(self, name):
        self.write(f"{name}/bin/ptxas", mode=0o755)
        self.write(f"{name}/nvvm/libdevice/libdevice.10.bc")
        return self.folder / name

    def test_explicit_wins(self):
        explicit, home = self.toolkit("explicit"), self.toolkit("home")
        env = {"CTC_CUDA_TOOLKIT": str(explicit), "CUDA_HOME": str(home)}
        self.assertEqual(cuda.find(env), explicit)
        self.assertEqual(cuda.find({"CUDA_HOME": str(home)}), home)

    def test_path(self):
        found = self.toolkit("toolkit")
        self.assertEqual(cuda.find({"PATH": str(found / "bin")}), found)

    def test_toolkit_without_libdevice_is_passed_over(self):
        self.write("half/bin/ptxas", mode=0o755)
        whole = self.toolkit("whole")
        env = {"CUDA_HOME": str(self.folder / "half"), "CUDA_PATH": str(whole)}
        self.assertEqual(cuda.find(env), whole)

    def test_project_toolkit_when_the_machine_has_none(self):
        home = self.toolkit("home")
        own = self.toolkit("venv/lib/python3.11/site-packages/nvidia/cu13")
        env = {"CUDA_HOME": str(home), "CTC_NO_SYSTEM_CUDA": "1"}
        with mock.patch.object(cuda, "VENV", self.folder / "venv"):
            self.assertEqual(cuda.find(env), own)


GTEST = """<testsuites><testsuite name="Plan">
<testcase name="A" status="run" classname="Plan"/>
<testcase name="B" status="run" classname="Plan">
  <failure message="no"/></testcase>
<testcase name="C" status="run" classname="Plan">
  <skipped message="no GPU"/></testcase>
</testsuite></testsuites>"""

CTEST = """<testsuite>
<testcase name="PlanTests" classname="PlanTests" status="{}"/>
<testcase name="rules" classname="rules" status="run"/>
</testsuite>"""

LIT = """<testsuites><testsuite name="ctc">
<testcase classname="ctc.Ladder" name="tile.mlir"/>
<testcase classname="ctc.Ladder" name="cubin.mlir">
  <skipped message="Missing required feature(s): ptxas"/></testcase>
</testsuite></testsuites>"""


PYTEST = """<testsuites><testsuite name="pytest">
<testcase classname="tests.test_cache" name="test_once"/>
<testcase classname="" name="tests.test_jax">
  <error message="collection failure"/></testcase>
<testcase classname="tests.test_torch" name="test_gpu">
  <skipped type="pytest.skip" message="no CUDA GPU here"/></testcase>
</testsuite></testsuites>"""


class Help(unittest.TestCase):
    def shown(self, *arguments):
        with mock.patch("sys.stdout", new=io.StringIO()) as output:
            devtool.parse(arguments)
        return " ".join(output.getvalue().split())

    def test_size_of_what_is_installed(self):
        text = self.shown("help")
        self.assertIn("5.5 GiB on disk, 4.6 of them PyTorch", text)
        self.assertIn("with CTC_NO_TORCH=1 in the environment", text)
        for line in ("install what the build and the tests need",
                     "install what the build needs, then build into build/"):
            self.assertIn(line, text)

    def test_no_torch(self):
        with_torch = python.requirements({})
        without = python.requirements({"CTC_NO_TORCH": "1"})
        self.assertEqual(set(with_torch) - set(without),
                         {python.TORCH_REQUIREMENTS})

    def test_what_a_build_leaves_out(self):
        """The demo does not make the environment of the tests."""
        for action, called in ((building.setup, False),
                               (building.setup_all, True)):
            with mock.patch.object(building, "debian"), \
                 mock.patch.object(building, "cuda"), \
                 mock.patch.object(building, "python") as environment:
                action()
            self.assertEqual(environment.setup.called, called)


class Counting(Scratch):
    def test_one_total_over_all(self):
        self.write("cases/PlanTests.xml", GTEST)
        self.write("ctest.xml", CTEST.format("fail"))
        self.write("lit.xml", LIT)
        self.assertEqual(testing.summary(testing.collect(self.folder)), [
            "SKIPPED Plan.C: no GPU",
            "SKIPPED lit:ctc.Ladder.cubin.mlir: Missing required feature(s): "
            "ptxas",
            "FAILED Plan.B",
            "3 passed, 1 failed, 2 skipped"])

    def test_crash_counts_as_failure(self):
        """A program that dies leaves no report, or one without a failure."""
        self.write("ctest.xml", CTEST.format("fail"))
        self.assertEqual(testing.summary(testing.collect(self.folder)), [
            "FAILED ctest:PlanTests.PlanTests", "1 passed, 1 failed"])

    def test_pytest_is_counted(self):
        """A module that cannot be imported is an error, and a failure."""
        self.write("ctest.xml", CTEST.format("run"))
        self.write("python.xml", PYTEST)
        self.assertEqual(testing.summary(testing.collect(self.folder)), [
            "SKIPPED python:tests.test_torch.test_gpu: no CUDA GPU here",
            "FAILED python:.tests.test_jax",
            "3 passed, 1 failed, 1 skipped"])

    def test_the_tests_of_the_benchmark_are_counted(self):
        self.write("ctest.xml", CTEST.format("run"))
        self.write("peers.xml", PYTEST)
        self.assertEqual(testing.summary(testing.collect(self.folder)), [
            "SKIPPED peers:tests.test_torch.test_gpu: no CUDA GPU here",
            "FAILED peers:.tests.test_jax",
            "3 passed, 1 failed, 1 skipped"])

    def test_all_good(self):
        self.write("ctest.xml", CTEST.format("run"))
        self.assertEqual(testing.summary(testing.collect(self.folder)),
                         ["2 passed, 0 failed"])


if __name__ == "__main__":
    unittest.main()
