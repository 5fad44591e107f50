#===- _bundle.py - Bundles -------------------------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""A compiled layer: what it computes, and how it gets onto a device."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ctc import _checks, _runtime
from ctc._runtime import PreparedLayer


@dataclass(frozen=True)
class Argument:
    """A buffer of an entry. `shape` is in memory order, in elements, with None
    where it is the batch."""

    name: str
    role: str  #: input, weight, bias, operand or output
    dtype: str  #: float32, float16 or bfloat16
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Entry:
    """A function of a bundle: a transposed convolution with its epilogue.
    Tuples have one value per spatial dimension, outermost first."""

    name: str
    batch: int | None  #: None where any batch can be launched.
    groups: int
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]  #: (low, high)
    output_padding: tuple[int, ...]
    layout: str  #: channels_first or channels_last
    precision: str  #: tf32, tf32x3 or ieee
    family: str  #: The kernel family of the first chip.
    arguments: tuple[Argument, ...]

    def _of(self, role: str) -> tuple[Argument, ...]:
        return tuple(one for one in self.arguments if one.role == role)

    @property
    def input(self) -> Argument:
        return self._of("input")[0]

    @property
    def output(self) -> Argument:
        return self._of("output")[0]

    @property
    def weight(self) -> Argument | None:
        return next(iter(self._of("weight")), None)

    @property
    def bias(self) -> Argument | None:
        return next(iter(self._of("bias")), None)

    @property
    def operands(self) -> tuple[Argument, ...]:
        """Extra operands of the epilogue, in the order a call takes them."""
        return self._of("operand")


class Bundle:
    """A compiled layer, or several, for one or more chips (docs/Bundle.md).

    Made by `ctc.compile` and `ctc.load`. Any thread may use it. `close`
    releases it; layers prepared before keep working. It is a context manager.
    """

    def __init__(self, data: bytes) -> None:
        """Checks length, digest and contents of a bundle's bytes.

        Raises `ctc.BundleError` for bytes that are no sound bundle.
        """
        if not isinstance(data, bytes):
            raise TypeError(f"data is a {type(data).__name__}, must be bytes; "
                            "ctc.load takes a path")
        self._native = _runtime.Bundle(data)

    @property
    def chips(self) -> list[str]:
        """The chips there is code for: "sm_80", "sm_90a", ..."""
        return self._native.chips

    @property
    def entries(self) -> list[str]:
        """The names of the entries."""
        return self._native.entries

    @property
    def producer(self) -> str:
        """What made the bundle: "ctc 0.1.0 (LLVM 22.1.8)"."""
        return self._native.producer

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._native.closed

    def entry(self, name: str | None = None) -> Entry:
        """What an entry computes; the only one without a name.

        Raises `ValueError` for a name that is not there, or none where there
        are several entries, and on a closed bundle.
        """
        _checks.require(name=(name, _checks.TEXT_OR_NONE))
        fields = self._native.entry(name)
        arguments = tuple(Argument(**one) for one in fields.pop("arguments"))
        return Entry(arguments=arguments, **fields)

    def prepare(self, weight: Any, bias: Any = None, *,
                entry: str | None = None, device: str | None = None,
                chip: str | None = None, stream: Any = None,
                packed: Any = None, copy: bool = False,
                wait: bool = True) -> PreparedLayer:
        """Packs a weight on its device and gives the layer that is called.

        weight: an array of the entry's shape (Cin, Cout/groups, kernel) and
            type, dense. It may be released afterwards; a change of it is not
            seen until the next prepare.
        bias: an array of Cout elements, exactly if the entry adds a bias. Its
            memory is kept and read at every call, so a change in place is
            seen.
        entry: its name, where the bundle has several.
        device: "cuda:N" or "cpu", to insist; it is where the weight is.
        chip: the image to take instead of the one that suits the device.
        stream: the CUDA stream to pack on, as for a call.
        packed: memory of the caller for the packed weight, an array of at
            least `PreparedLayer.packed_bytes` bytes on the device.
        copy: whether arrays that are not dense are copied; they are an error
            otherwise.
        wait: whether to wait until the weight is packed. Without it, the
            weight must stay until then, and calls on other streams must be
            ordered behind this one by the caller.

        Raises `TypeError` and `ValueError` for arrays that do not fit,
        `ctc.NoDeviceError` where there is no such GPU, `ctc.NoImageError` for
        a bundle without code for it, `ctc.OutOfMemoryError`, and
        `ctc.DeviceError` when the device fails.
        """
        try:
            return self._native.prepare(weight, bias, entry, device, chip,
                                        stream, packed, copy, wait)
        except TypeError:
            # Looked at now and not before: a layer of ctc.torch is prepared
            # at every call.
            wrong = _checks.wrong(
                entry=(entry, _checks.TEXT_OR_NONE),
                device=(device, _checks.TEXT_OR_NONE),
                chip=(chip, _checks.TEXT_OR_NONE),
                copy=(copy, _checks.FLAG), wait=(wait, _checks.FLAG))
            if wrong is None:
                raise
            raise wrong from None

    def packed_bytes(self, device: str, entry: str | None = None,
                     chip: str | None = None) -> int:
        """Bytes of the packed weight of an entry on a device ("cuda:0"), for
        `prepare(packed=...)`. Raises as `prepare` does."""
        _checks.require(device=(device, _checks.TEXT),
                        entry=(entry, _checks.TEXT_OR_NONE),
                        chip=(chip, _checks.TEXT_OR_NONE))
        return self._native.packed_bytes(device, entry, chip)

    def to_bytes(self) -> bytes:
        """The bundle's bytes, what `Bundle` takes."""
        return self._native.to_bytes()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the bundle to a file, whole or not at all.

        Raises `OSError` when it cannot be written.
        """
        name = _checks.path("path", path, "the path of a file")
        data = self.to_bytes()
        try:
            _write_whole(pathlib.Path(name), data)
        except OSError as error:
            # The caller knows the file, not what it is staged in.
            raise OSError(error.errno, error.strerror, name) from None

    def close(self) -> None:
        """Releases the bundle; every later use but `closed` is an error."""
        self._native.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(self, kind: type[BaseException] | None,
                 error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.closed:
            return "<ctc.Bundle, closed>"
        return (f"<ctc.Bundle of {', '.join(self.entries)} for "
                f"{', '.join(self.chips)}>")


def _write_whole(target: pathlib.Path, data: bytes) -> None:
    """Writes a file beside its place, then moves it there."""
    if target.is_dir():
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    staged = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        staged.write_bytes(data)
        staged.replace(target)
    finally:
        with contextlib.suppress(OSError):
            staged.unlink(missing_ok=True)


def load(path: str | os.PathLike[str]) -> Bundle:
    """Reads and checks a bundle (.ctcb).

    Raises `OSError` when the file cannot be read, and `ctc.BundleError` when
    it is not a sound bundle.
    """
    name = _checks.path("path", path, "the path of a file; ctc.Bundle takes "
                        "bytes")
    data = pathlib.Path(name).read_bytes()
    try:
        return Bundle(data)
    except Exception as error:
        from ctc._errors import BundleError

        if isinstance(error, BundleError):
            raise BundleError(f"{name}: {error}") from None
        raise
