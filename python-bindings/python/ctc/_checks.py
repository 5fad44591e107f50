#===- _checks.py - What an argument may be ---------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""One sentence for an argument that is of another type than it must be."""

from __future__ import annotations

import os
from typing import Any

#: Types, and what they are called.
_Rule = tuple[tuple[type, ...], str]
FLAG: _Rule = ((bool,), "True or False")
TEXT: _Rule = ((str,), "a string")
TEXT_OR_NONE: _Rule = ((str, type(None)), "a string or None")

_LONGEST = 80


def shown(value: object) -> str:
    """The value as a message names it, or its type where that is long."""
    text = repr(value)
    if len(text) <= _LONGEST and "\n" not in text:
        return text
    return f"of type {type(value).__name__}"


def wrong(**arguments: tuple[object, _Rule]) -> TypeError | None:
    """The error of the first argument that breaks its rule."""
    for what, (value, (types, legal)) in arguments.items():
        if not isinstance(value, types):
            return TypeError(f"{what} is {shown(value)}, must be {legal}")
    return None


def require(**arguments: tuple[object, _Rule]) -> None:
    """Raises `wrong`'s error."""
    error = wrong(**arguments)
    if error is not None:
        raise error


def path(what: str, value: Any, legal: str) -> str:
    """The text of a path; bytes are none."""
    text = value if isinstance(value, str) else (
        os.fspath(value) if isinstance(value, os.PathLike) else None)
    if not isinstance(text, str):
        raise TypeError(f"{what} is {shown(value)}, must be {legal}")
    if not text:
        raise ValueError(f"{what} is '', must be {legal}")
    return text
