#===- packing.py - What is in a pack ----------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""A pack is a folder with compiled bundles, the runtime, these scripts and the
files of layers. `manifest.json` lists the bundles:

    {"chip": "sm_90a", "producer": "ctc 0.1.0 (LLVM 22.1.8)",
     "bundles": [{"layer": ..., "precision": ..., "layout": ..., "variant": ...,
                  "file": "bundles/<digest>.ctcb.xz", "compile_seconds": ...},
                 {..., "error": "why there is none"}]}

Bundles are compressed and named by their contents, so what was compiled twice
alike is there once.
"""

import hashlib
import lzma
import pathlib

import json_text

MANIFEST = "manifest.json"
DEFAULT = "default"  # The variant that was compiled without being told how.


class PackError(Exception):
    """A pack that cannot be read, or does not have a bundle."""


def key_of(entry):
    return tuple(entry[name] for name in ("layer", "precision", "layout",
                                          "variant"))


class Pack:
    """A folder made by pack.py."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        path = self.folder / MANIFEST
        try:
            self.manifest = json_text.parse(path.read_text(encoding="utf-8"))
            self.entries = {key_of(entry): entry
                            for entry in self.manifest["bundles"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PackError(f"{path}: is no manifest of a pack: {error!r}") \
                from error
        names = [entry["variant"] for entry in self.entries.values()]
        self.variants = tuple(dict.fromkeys(names)) or (DEFAULT,)

    def has(self, *key):
        return key in self.entries

    def bundle(self, *key):
        """The bytes of a bundle. Raises PackError."""
        entry = self.entries.get(key)
        if entry is None:
            raise PackError(f"the pack has no bundle for {' '.join(key)}")
        if "error" in entry:
            raise PackError(f"did not compile: {entry['error']}")
        path = self.folder / entry["file"]
        try:
            return lzma.decompress(path.read_bytes())
        except (OSError, lzma.LZMAError) as error:
            raise PackError(f"{path}: {error}") from error


def store(folder, data):
    """Writes a bundle; returns its name within the pack."""
    name = f"bundles/{hashlib.sha256(data).hexdigest()[:20]}.ctcb.xz"
    path = pathlib.Path(folder) / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lzma.compress(data))
    return name
