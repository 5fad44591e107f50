#===- _cache.py - Compiled bundles, kept on disk ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""The cache of bundles.

A file per bundle, named by a digest of what was compiled: the layer or MLIR
text, chips, family, the version and the compiler's sources. Files are bundles
and nothing else, and are checked like any other (length, digest, contents)
before anything in them is used; one that does not pass, or holds another layer
than its name says, is a miss and is compiled again. Files are staged beside
their place, synced and renamed, so that any number of processes may share a
folder. Past the limit, those not used for longest go first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import tempfile
import time
import warnings
from collections.abc import Callable

from ctc import _runtime
from ctc._bundle import Bundle
from ctc._errors import BundleError

_FORMAT = 1
_SUFFIX = ".ctcb"
_DEFAULT_LIMIT = 1 << 30
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
#: Age in seconds after which a staged file belongs to a process that died.
_STALE = 3600.0


def directory() -> pathlib.Path:
    """CTC_CACHE_DIR, else `ctc` in XDG_CACHE_HOME, else ~/.cache/ctc."""
    own = os.environ.get("CTC_CACHE_DIR")
    if own:
        return pathlib.Path(own)
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification has relative paths ignored.
    if os.path.isabs(base):
        return pathlib.Path(base, "ctc")
    return pathlib.Path.home() / ".cache" / "ctc"


def limit() -> int:
    """Bytes the cache may hold: CTC_CACHE_SIZE ("500M", "2G"), else 1 GiB."""
    text = os.environ.get("CTC_CACHE_SIZE", "").strip()
    if not text:
        return _DEFAULT_LIMIT
    unit = _UNITS.get(text[-1].upper(), 1)
    digits = text[:-1] if unit != 1 else text
    if not digits.isdecimal():
        raise ValueError(f"CTC_CACHE_SIZE is {text!r}, must be a number of "
                         "bytes, or one with K, M or G")
    return int(digits) * unit


def key(request: dict[str, object]) -> str:
    """The name of what `request` compiles to."""
    text = json.dumps({"format": _FORMAT, "version": _runtime.version(),
                       "source": _runtime.source_digest, **request},
                      sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def path_of(name: str) -> pathlib.Path:
    return directory() / name[:2] / (name + _SUFFIX)


def read(name: str, fits: Callable[[Bundle], bool]) -> Bundle | None:
    """The bundle of that name, or None when it is not there, is damaged, or is
    not what was asked for."""
    path = path_of(name)
    try:
        bundle = Bundle(path.read_bytes())
        if not fits(bundle):
            return None
    except (OSError, BundleError):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # The time of use decides what goes first.
    return bundle


def _sync(folder: pathlib.Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(name: str, data: bytes) -> None:
    """Adds a bundle. A cache that cannot be written is a warning: what was
    compiled is good without it."""
    path = path_of(name)
    staged = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, staged = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(staged, path)
        _sync(path.parent)
        trim(keep=path)
    except OSError as error:
        warnings.warn(f"the cache of ctc cannot be written: {error}",
                      RuntimeWarning, stacklevel=2)
        if staged is not None:
            with contextlib.suppress(OSError):
                os.unlink(staged)


def trim(keep: pathlib.Path | None = None) -> None:
    """Removes what was not used for longest until the limit is kept; `keep`
    stays. What other processes remove meanwhile is no error."""
    found: list[tuple[float, int, pathlib.Path]] = []
    for path in directory().glob("??/*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if path.suffix == _SUFFIX:
                found.append((status.st_mtime, status.st_size, path))
            elif (path.suffix == ".tmp"
                  and time.time() - status.st_mtime > _STALE):
                path.unlink()
    total = sum(size for _, size, _ in found)
    most = limit()
    for _, size, path in sorted(found):
        if total <= most:
            return
        if path != keep:
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size
