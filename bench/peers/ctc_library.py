#===- ctc_library.py - The runtime's C API through ctypes -------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
"""libctc_runtime from Python without an extension module, so that any Python
runs it: what a benchmark needs of ctc_runtime.h, and no more."""

import ctypes
import pathlib
from ctypes import (POINTER, byref, c_char_p, c_double, c_int, c_int32, c_int64,
                    c_size_t, c_uint64, c_void_p)

OUT_OF_MEMORY = 7
NO_DEVICE = 4
ROLES = ("input", "weight", "packed_weight", "bias", "operand", "output",
         "scratch")
TYPES = ("f32", "f16", "bf16")
LAYOUTS = ("channels_first", "channels_last")


class CtcError(Exception):
    """A call of the C API failed; `status` is its ctc_status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class _Dimension(ctypes.Structure):
    _fields_ = [(name, c_int64) for name in (
        "input", "kernel", "stride", "dilation", "pad_low", "pad_high",
        "output_padding", "output")]


class _EntryInfo(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p), ("batch", c_int64), ("input_channels", c_int64),
        ("output_channels", c_int64), ("groups", c_int64), ("rank", c_size_t),
        ("dimensions", POINTER(_Dimension)), ("type", c_int),
        ("layout", c_int), ("weight_layout", c_int), ("precision", c_int),
        ("has_bias", c_int), ("argument_count", c_size_t),
        ("prepare_count", c_size_t), ("run_count", c_size_t),
        ("family", c_char_p), ("kernel", c_char_p),
        ("choice_source", c_char_p), ("choice_reason", c_char_p),
        ("useful_macs", c_double), ("least_bytes", c_double),
        ("requested_bytes", c_double), ("holes_factor", c_double),
        ("border_factor", c_double), ("tile_factor", c_double)]


class _ArgumentInfo(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("role", c_int), ("type", c_int),
                ("rank", c_size_t), ("shape", POINTER(c_int64)),
                ("launch_index", c_int32)]


class _ModuleInfo(ctypes.Structure):
    _fields_ = [("image", c_size_t), ("chip", c_char_p), ("uses_ptx", c_int)]


class _DeviceInfo(ctypes.Structure):
    _fields_ = [("kind", c_int), ("name", c_char_p), ("ordinal", c_int),
                ("compute_major", c_int), ("compute_minor", c_int),
                ("reason", c_char_p)]


# Parameters of the functions in use; all but the first group return a status.
_FUNCTIONS = {
    "ctc_bundle_open_memory": (c_char_p, c_size_t, POINTER(c_void_p)),
    "ctc_bundle_get_entry": (c_void_p, c_size_t, c_size_t, POINTER(_EntryInfo)),
    "ctc_bundle_get_argument": (c_void_p, c_size_t, c_size_t, c_size_t,
                                POINTER(_ArgumentInfo)),
    "ctc_bundle_argument_bytes": (c_void_p, c_size_t, c_size_t, c_size_t,
                                  c_int64, POINTER(c_uint64)),
    "ctc_device_open": (c_char_p, POINTER(c_void_p)),
    "ctc_device_get_info": (c_void_p, POINTER(_DeviceInfo)),
    "ctc_device_allocate": (c_void_p, c_uint64, POINTER(c_uint64)),
    "ctc_device_free": (c_void_p, c_uint64),
    "ctc_device_copy_in": (c_void_p, c_uint64, c_void_p, c_uint64, c_void_p),
    "ctc_device_copy_out": (c_void_p, c_void_p, c_uint64, c_uint64, c_void_p),
    "ctc_device_synchronize": (c_void_p, c_void_p),
    "ctc_module_load": (c_void_p, c_void_p, c_char_p, POINTER(c_void_p)),
    "ctc_module_get_info": (c_void_p, POINTER(_ModuleInfo)),
    "ctc_layer_create": (c_void_p, c_char_p, POINTER(c_void_p)),
    "ctc_layer_packed_bytes": (c_void_p, POINTER(c_uint64)),
    "ctc_layer_prepare": (c_void_p, c_uint64, c_uint64, c_void_p),
    "ctc_layer_launch": (c_void_p, c_int64, POINTER(c_uint64), c_size_t,
                         c_void_p),
}
_RELEASES = ("ctc_bundle_close", "ctc_device_close", "ctc_module_unload",
             "ctc_layer_destroy")


class Library:
    """The loaded library. `call` raises CtcError unless a call succeeds."""

    def __init__(self, path):
        path = pathlib.Path(path)
        try:
            self._library = ctypes.CDLL(str(path.resolve()))
        except OSError as error:
            raise CtcError(0, f"{path}: cannot be loaded: {error}") from error
        for name, parameters in _FUNCTIONS.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = parameters, c_int
        for name in _RELEASES:
            function = getattr(self._library, name)
            function.argtypes, function.restype = (c_void_p,), None
        for name in ("ctc_last_error", "ctc_version"):
            getattr(self._library, name).restype = c_char_p
        # Without an object per call: what a launch costs the host counts.
        self.raw_launch = self._library.ctc_layer_launch

    @property
    def version(self):
        return self._library.ctc_version().decode()

    def check(self, status):
        if status:
            raise CtcError(status, self._library.ctc_last_error().decode())

    def call(self, name, *arguments):
        self.check(getattr(self._library, name)(*arguments))

    def handle(self, name, *arguments):
        """A function whose last parameter is the handle it makes."""
        made = c_void_p()
        self.call(name, *arguments, byref(made))
        return made

    def release(self, name, handle):
        getattr(self._library, name)(handle)


class Device:
    """"cuda", "cuda:1" or "cpu"."""

    def __init__(self, library, name):
        self.library = library
        self.handle = library.handle("ctc_device_open", name.encode())
        info = _DeviceInfo()
        library.call("ctc_device_get_info", self.handle, byref(info))
        self.name = info.name.decode()
        self.capability = (info.compute_major, info.compute_minor)

    def allocate(self, size):
        address = c_uint64()
        self.library.call("ctc_device_allocate", self.handle, size,
                          byref(address))
        return address.value

    def free(self, address):
        self.library.call("ctc_device_free", self.handle, address)

    def copy_in(self, address, pointer, size):
        self.library.call("ctc_device_copy_in", self.handle, address, pointer,
                          size, None)

    def copy_out(self, pointer, address, size):
        self.library.call("ctc_device_copy_out", self.handle, pointer, address,
                          size, None)

    def synchronize(self):
        self.library.call("ctc_device_synchronize", self.handle, None)

    def close(self):
        self.library.release("ctc_device_close", self.handle)


class Argument:
    def __init__(self, info, size):
        self.name = info.name.decode()
        self.role, self.type = ROLES[info.role], TYPES[info.type]
        self.shape = tuple(info.shape[:info.rank])
        self.launch_index, self.bytes = info.launch_index, size


class Program:
    """The only entry of a bundle, loaded onto a device."""

    def __init__(self, device, data):
        self.library = library = device.library
        self.device = device
        self.module = None
        self.bundle = library.handle("ctc_bundle_open_memory", data, len(data))
        try:
            self.module = library.handle("ctc_module_load", self.bundle,
                                         device.handle, None)
            loaded = _ModuleInfo()
            library.call("ctc_module_get_info", self.module, byref(loaded))
            self.chip, self.uses_ptx = loaded.chip.decode(), loaded.uses_ptx
            info = _EntryInfo()
            library.call("ctc_bundle_get_entry", self.bundle, loaded.image, 0,
                         byref(info))
            self.batch = info.batch
            self.family, self.kernel = info.family.decode(), \
                info.kernel.decode()
            self.choice = info.choice_source.decode()
            self.arguments = [self._argument(loaded.image, index)
                              for index in range(info.argument_count)]
        except CtcError:
            self.close()
            raise

    def _argument(self, image, index):
        info, size = _ArgumentInfo(), c_uint64()
        self.library.call("ctc_bundle_get_argument", self.bundle, image, 0,
                          index, byref(info))
        self.library.call("ctc_bundle_argument_bytes", self.bundle, image, 0,
                          index, self.batch, byref(size))
        return Argument(info, size.value)

    def close(self):
        if self.module:
            self.library.release("ctc_module_unload", self.module)
        self.library.release("ctc_bundle_close", self.bundle)
        self.module = self.bundle = None


class PreparedLayer:
    """A program with packed weights and the addresses of one launch."""

    def __init__(self, program):
        self.program = program
        self.library = program.library
        self.handle = self.library.handle("ctc_layer_create", program.module,
                                          None)
        size = c_uint64()
        self.library.call("ctc_layer_packed_bytes", self.handle, byref(size))
        self.packed_bytes = size.value
        self._addresses = None

    def prepare(self, weight, packed, stream):
        self.library.call("ctc_layer_prepare", self.handle, weight, packed,
                          stream)

    def bind(self, addresses):
        """In the order of launch_index."""
        self._addresses = (c_uint64 * len(addresses))(*addresses)

    def launch(self, stream):
        status = self.library.raw_launch(
            self.handle, self.program.batch, self._addresses,
            len(self._addresses), stream)
        if status:
            self.library.check(status)

    def close(self):
        self.library.release("ctc_layer_destroy", self.handle)
        self.handle = None
