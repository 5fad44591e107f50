#===- testing.py - Runs every test and counts them -------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""test: ctest, lit and pytest, and one total over all.

GoogleTest programs and Python tests report each of their cases, lit each of
its files, and whatever else ctest runs counts as one test. A skipped test is
listed with its reason, never passed over in silence.
"""

import os
import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from devtool import building, python
from devtool.common import BUILD, Failure, LLVM_BIN, run

RESULTS = BUILD / "test" / "results"
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


@dataclass(frozen=True)
class Result:
    name: str
    status: str
    reason: str = ""


def read_junit(path, prefix):
    """Results of a JUnit file, as ctest, lit and GoogleTest write them."""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{prefix}{case.get('classname')}.{case.get('name')}"
        skipped = case.find("skipped")
        wrong = case.find("failure"), case.find("error")
        if wrong != (None, None) or case.get("status") == "fail":
            yield Result(name, FAILED)
        elif skipped is not None or case.get("status") == "notrun":
            reason = (skipped.get("message") if skipped is not None else "")
            yield Result(name, SKIPPED, " ".join((reason or "").split()))
        else:
            yield Result(name, PASSED)


def collect(results):
    """All results below a folder that `run_all` filled.

    A program that reports its cases appears in ctest's list too; the cases
    stand for it unless ctest saw it fail, say by a crash.
    """
    programs = {path.stem: list(read_junit(path, ""))
                for path in sorted((results / "cases").glob("*.xml"))}
    total = [result for cases in programs.values() for result in cases]
    if (results / "ctest.xml").is_file():
        for result in read_junit(results / "ctest.xml", "ctest:"):
            cases = programs.get(result.name.rsplit(".", 1)[-1], [])
            seen_failing = any(case.status == FAILED for case in cases)
            if not cases or (result.status == FAILED and not seen_failing):
                total.append(result)
    if (results / "lit.xml").is_file():
        total += read_junit(results / "lit.xml", "lit:")
    for name in ("python", "peers"):
        if (results / f"{name}.xml").is_file():
            total += read_junit(results / f"{name}.xml", f"{name}:")
    return total


def summary(results):
    """The lines that close a test run; the last one is the count."""
    def of(status):
        return [result for result in results if result.status == status]

    lines = [f"SKIPPED {r.name}: {r.reason or 'no reason given'}"
             for r in of(SKIPPED)]
    lines += [f"FAILED {r.name}" for r in of(FAILED)]
    count = f"{len(of(PASSED))} passed, {len(of(FAILED))} failed"
    if of(SKIPPED):
        count += f", {len(of(SKIPPED))} skipped"
    return lines + [count]


def run_all(jobs):
    """Runs ctest, lit and pytest; returns their exit statuses."""
    shutil.rmtree(RESULTS, ignore_errors=True)
    (RESULTS / "cases").mkdir(parents=True)
    ctest = run(["ctest", "--test-dir", BUILD, "--output-on-failure",
                 "--parallel", jobs, "--output-junit", RESULTS / "ctest.xml"],
                env={"GTEST_OUTPUT": f"xml:{RESULTS}/cases/",
                     "CTC_CASES": str(RESULTS / "cases")}, check=False)
    lit = run([LLVM_BIN / "lit", f"-j{jobs}", "-sv", "--no-progress-bar",
               "--xunit-xml-output",
               RESULTS / "lit.xml", BUILD / "test"], check=False)
    return (ctest, lit, python.test(jobs, RESULTS / "python.xml"),
            python.test_peers(jobs, RESULTS / "peers.xml"))


def test(jobs=None):
    building.build_python()
    statuses = run_all(jobs or os.cpu_count() or 1)
    results = collect(RESULTS)
    print("\n" + "\n".join(summary(results)), flush=True)
    if any(result.status == FAILED for result in results) or any(statuses):
        raise Failure("tests failed")
    if not any(result.status == PASSED for result in results):
        raise Failure("no test ran")
