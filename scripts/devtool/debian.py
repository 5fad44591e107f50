#===- debian.py - Installs what is missing from Debian ---------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Debian packages: asks dpkg what is there, installs only what is missing."""

import os
import shutil
import subprocess

from devtool.common import (EXIT_SETUP, Failure, ROOT, output_of, run, say)

PACKAGE_LIST = ROOT / "scripts" / "debian-packages.txt"


def wanted_packages(text):
    """Package names of a list with one a line and # comments."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def installed_packages(names):
    """Those of `names` that dpkg has fully installed."""
    # dpkg-query exits 1 when it does not know one of the names; the rest of
    # its answer is still good.
    result = subprocess.run(
        ["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names],
        text=True, capture_output=True)
    pairs = (line.split() for line in result.stdout.splitlines())
    return {pair[0] for pair in pairs if pair[1:] == ["installed"]}


def packages_without_candidate(names):
    """Those of `names` that no configured package source offers."""
    policy = output_of(["apt-cache", "policy", *names]) or ""
    offered, current = set(), None
    for line in policy.splitlines():
        if not line.startswith(" "):
            current = line.rstrip(":")
        elif line.strip().startswith("Candidate:") and "(none)" not in line:
            offered.add(current)
    return [name for name in names if name not in offered]


def root_prefix(missing):
    """What to put before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo"]
    raise Failure("installing packages needs root or sudo; as root run: "
                  "apt-get install " + " ".join(missing), EXIT_SETUP)


def install_missing(names):
    """Installs what is missing of `names`; does nothing when nothing is."""
    if not shutil.which("dpkg-query"):
        say("no dpkg here: install the counterparts of "
            f"{PACKAGE_LIST.relative_to(ROOT)} by hand")
        return
    present = installed_packages(names)
    missing = [name for name in names if name not in present]
    if not missing:
        return
    prefix = root_prefix(missing)
    say("installing " + " ".join(missing))
    run([*prefix, "apt-get", "-q", "update"], check=False)
    unknown = packages_without_candidate(missing)
    if unknown:
        raise Failure("no package source offers " + ", ".join(unknown) +
                      "; Debian 12 with bookworm-security has them all",
                      EXIT_SETUP)
    status = run([*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get",
                  "-q", "-y", "install", "--no-install-recommends", *missing],
                 check=False)
    if status != 0:
        raise Failure(f"apt-get could not install {', '.join(missing)} "
                      f"(exit status {status})", EXIT_SETUP)


def setup():
    install_missing(wanted_packages(PACKAGE_LIST.read_text()))
