#===- rules.py - The rules of the house, checked ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""Checks a source tree against docs/Architecture.md, on text alone.

Each check is a generator of violations `file:line: message`. Run as a program
it prints those of the tree it is given and exits 1 when there are any.
"""

import pathlib
import re
import sys

SHARED = ["Support", "Chips", "Bundle"]
RUNTIME_WING = SHARED + ["Reference", "PtxMachine", "Runtime"]
COMPILER_WING = SHARED + ["Dialect", "Tuning", "Transforms", "Conversion",
                          "CodeGen", "Pipelines"]
TOP = "Driver"

MAX_LINES = 600
LICENSE_TAG = "SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"
LICENSED_SUFFIXES = {".h", ".c", ".cpp", ".td", ".py"}
CODE_SUFFIXES = LICENSED_SUFFIXES | {".mlir", ".cmake", ".inc", ".fbs"}
SKIPPED_FOLDERS = {"__pycache__"}


def allowed_folders(folder):
    """The folders that `folder` may include and link, itself among them."""
    if folder == TOP:
        return set(RUNTIME_WING) | set(COMPILER_WING) | {TOP}
    allowed = set()
    for wing in (RUNTIME_WING, COMPILER_WING):
        if folder in wing:
            allowed |= set(wing[:wing.index(folder) + 1])
    return allowed


def is_known(folder):
    return bool(allowed_folders(folder))


def files_below(root, *tops):
    for top in tops:
        for path in sorted((root / top).rglob("*")):
            inner = path.relative_to(root).parts
            if path.is_file() and not SKIPPED_FOLDERS.intersection(inner):
                yield path


def numbered_lines(path):
    return enumerate(path.read_text(errors="replace").splitlines(), start=1)


def house_files(root):
    """Pairs (file, folder of the house) of include/ctc and lib."""
    for top in ("include/ctc", "lib"):
        base = root / top
        for path in files_below(root, top):
            parts = path.relative_to(base).parts
            if len(parts) > 1:
                yield path, parts[0]


def check_includes(root):
    """An arrow points only up the list, and LLVM stays out of the runtime."""
    own = re.compile(r'\s*#\s*include\s*["<]ctc/(\w+)/')
    foreign = re.compile(r'\s*#\s*include\s*["<]((?:llvm|mlir|llvm-c|mlir-c)/.*)[">]')
    for path, folder in house_files(root):
        for number, line in numbered_lines(path):
            where = f"{path.relative_to(root)}:{number}"
            match = own.match(line)
            if match and match[1] not in allowed_folders(folder):
                yield f"{where}: {folder} may not include ctc/{match[1]}"
            match = foreign.match(line)
            if match and folder in RUNTIME_WING:
                yield (f"{where}: {folder} is used by the runtime wing and "
                       f"may not include {match[1]}")


def linked_libraries(text):
    """Words of a CMakeLists.txt that name libraries to link, by line."""
    calls = re.compile(r"(target_link_libraries|ctc_add_runtime_library|"
                       r"ctc_add_compiler_library)\s*\(([^)]*)\)")
    for call in calls.finditer(text):
        first_line = text.count("\n", 0, call.start(2)) + 1
        skip_until_depends = call[1] != "target_link_libraries"
        for offset, line in enumerate(call[2].split("\n")):
            for word in line.split("#")[0].split():
                if word.isupper() or word == "PRIVATE_DEPENDS":
                    skip_until_depends = word in ("SOURCES", "GENERATED")
                elif not skip_until_depends:
                    yield first_line + offset, word


def check_links(root):
    """Link lists obey the same table as includes."""
    for path, folder in house_files(root):
        if path.name != "CMakeLists.txt":
            continue
        for number, word in linked_libraries(path.read_text()):
            where = f"{path.relative_to(root)}:{number}"
            linked = word.removeprefix("Ctc")
            if word.startswith("Ctc") and is_known(linked):
                if linked not in allowed_folders(folder):
                    yield f"{where}: Ctc{folder} may not link {word}"
            elif folder in RUNTIME_WING and re.match(r"(LLVM|MLIR)", word):
                yield f"{where}: Ctc{folder} may not link {word}"


def check_wing_functions(root):
    """A folder is built by the function of its own wing."""
    for path, folder in house_files(root):
        if path.name != "CMakeLists.txt" or folder == TOP:
            continue
        wrong = ("ctc_add_compiler_library" if folder in RUNTIME_WING
                 else "ctc_add_runtime_library")
        for number, line in numbered_lines(path):
            if line.startswith(wrong):
                yield (f"{path.relative_to(root)}:{number}: {folder} may not "
                       f"be built by {wrong}")


def check_option_globals(root):
    """Libraries take options as arguments, never from a global."""
    for path in files_below(root, "lib", "include"):
        for number, line in numbered_lines(path):
            if re.search(r"\bcl::(opt|list|bits|alias)\b", line.split("//")[0]):
                yield (f"{path.relative_to(root)}:{number}: cl::opt is a "
                       "global option; pass an options struct instead")


def check_folders(root):
    """include/ctc mirrors lib, and both hold only rooms of the house."""
    tops = {top: {folder for path, folder in house_files(root)
                  if (root / top) in path.parents}
            for top in ("include/ctc", "lib")}
    for top, folders in tops.items():
        for folder in sorted(folders):
            if not is_known(folder):
                yield f"{top}/{folder}: not a folder of docs/Architecture.md"
    for folder in sorted(tops["include/ctc"] - tops["lib"]):
        yield f"include/ctc/{folder}: has no counterpart lib/{folder}"
    for folder in sorted(tops["lib"] - tops["include/ctc"]):
        yield f"lib/{folder}: has no counterpart include/ctc/{folder}"


def own_files(root):
    yield from files_below(root, "include", "lib", "tools", "test", "bench",
                           "examples", "scripts", "python-bindings", "cmake")


def check_licenses(root):
    for path in own_files(root):
        if path.suffix in LICENSED_SUFFIXES:
            head = path.read_text(errors="replace")[:1000]
            if LICENSE_TAG not in head:
                yield f"{path.relative_to(root)}:1: no line '{LICENSE_TAG}'"


def check_banners(root):
    """The first line names the file and is a ruler of at most 80 columns."""
    for path in own_files(root):
        if path.suffix in {".h", ".c", ".cpp", ".td"}:
            first = path.read_text(errors="replace").partition("\n")[0]
            ruler = re.fullmatch(r"(//|/\*)===- (\S+) .*===(//|\*\\)",
                                 first)
            if not ruler or ruler[2] != path.name or len(first) > 80:
                yield (f"{path.relative_to(root)}:1: must be '//===- "
                       f"{path.name} - ... ---===//' within 80 columns")


def check_lengths(root):
    for path in own_files(root):
        if path.suffix in CODE_SUFFIXES:
            count = sum(1 for _ in numbered_lines(path))
            if count > MAX_LINES:
                yield (f"{path.relative_to(root)}:{count}: {count} lines, at "
                       f"most {MAX_LINES}")


CHECKS = [check_includes, check_links, check_wing_functions,
          check_option_globals, check_folders, check_licenses,
          check_banners, check_lengths]


def violations(root):
    root = pathlib.Path(root).resolve()
    return [found for check in CHECKS for found in check(root)]


if __name__ == "__main__":
    found = violations(sys.argv[1])
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
