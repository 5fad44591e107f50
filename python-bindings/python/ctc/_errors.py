#===- _errors.py - The exceptions of the package ---------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""What can go wrong, as exceptions.

A value the caller gave that is not legal is a plain `ValueError` or
`TypeError`, a file that cannot be read an `OSError`. Everything else is here.
Every message is one sentence that names the value and what is legal.
"""


class Error(Exception):
    """The base of the package's own exceptions."""


class BundleError(Error, ValueError):
    """Bytes that are no sound bundle: truncated, altered or inconsistent."""


class CompileError(Error, ValueError):
    """A layer or a program that does not compile."""


class CompilerMissingError(CompileError):
    """Something must be compiled, and this installation has no compiler."""


class DeviceError(Error, RuntimeError):
    """A device failed, or a kernel faulted."""


class NoDeviceError(DeviceError):
    """The device asked for does not exist here."""


class NoImageError(DeviceError):
    """Nothing in the bundle runs on the device."""


class OutOfMemoryError(DeviceError, MemoryError):
    """The device has not that much memory free."""
