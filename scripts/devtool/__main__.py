#===- __main__.py - The command line of ./dev ------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Parses the command line of ./dev and calls one function."""

import argparse
import sys

from devtool import building, demo, docs, linting, testing
from devtool.common import Failure


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev", description="Sets up, builds, tests and shows ctc.",
        epilog="setup, python and test make .cache/python, 5.5 GiB on disk, "
        "4.6 of them PyTorch and the CUDA libraries it needs; with "
        "CTC_NO_TORCH=1 in the environment these are left out.")
    commands = parser.add_subparsers(dest="command", required=True,
                                     metavar="COMMAND")
    commands.add_parser("help", help="show this")
    commands.add_parser("setup", help="install what the build and the tests "
                        "need")
    build = commands.add_parser("build", help="install what the build needs, "
                                "then build into build/")
    build.add_argument("targets", nargs="*", help="targets, default all")
    commands.add_parser("python", help="build, then build the Python package "
                        "into the environment .cache/python")
    commands.add_parser("demo", help="build, then compile, launch and check a "
                        "layer of SAM's mask decoder")
    test = commands.add_parser("test", help="build, then run every test")
    test.add_argument("-j", "--jobs", type=int, help="tests at a time")
    commands.add_parser("format", help="format the C++ sources in place")
    lint = commands.add_parser("lint", help="check formatting, architecture "
                               "and clang-tidy")
    scope = lint.add_mutually_exclusive_group()
    scope.add_argument("--all", action="store_true",
                       help="clang-tidy over all files")
    scope.add_argument("--base", default="HEAD", metavar="REV",
                       help="clang-tidy over what changed since REV "
                       "(default HEAD: what is not committed)")
    commands.add_parser("docs", help="generate the reference of dialect and "
                        "passes into build/docs")
    options = parser.parse_args(arguments)
    if options.command == "help":
        parser.print_help()
    return options


def dispatch(options):
    actions = {
        "help": lambda: None,
        "setup": building.setup_all,
        "build": lambda: building.build(options.targets),
        "python": building.build_python,
        "demo": demo.demo,
        "test": lambda: testing.test(options.jobs),
        "format": building.format_sources,
        "lint": lambda: linting.lint(None if options.all else options.base),
        "docs": docs.docs,
    }
    actions[options.command]()


def main():
    try:
        dispatch(parse(sys.argv[1:]))
    except Failure as failure:
        print(f"dev: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
