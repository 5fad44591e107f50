//===- LayerType.cpp - PreparedLayer as Python sees it --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A type of CPython's own and not of nanobind's: it is called by the vectorcall
// protocol, without a tuple, a dictionary or a look-up of `__call__`, because a
// call is all of what a launch costs beside the driver.
//
//===----------------------------------------------------------------------===//

#include "LayerType.h"
#include "Errors.h"

#include <cstddef>
#include <nanobind/stl/string.h>
#include <structmember.h>

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

namespace {
struct LayerObject {
  PyObject_HEAD vectorcallfunc call;
  PreparedLayer *layer;
};
} // namespace

static PyTypeObject *layerType = nullptr;

static const PreparedLayer &layerOf(PyObject *self) {
  return *reinterpret_cast<LayerObject *>(self)->layer;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {
/// The names of the arguments that are given by name.
struct Names {
  PyObject *input = PyUnicode_InternFromString("input");
  PyObject *out = PyUnicode_InternFromString("out");
  PyObject *stream = PyUnicode_InternFromString("stream");
  PyObject *copy = PyUnicode_InternFromString("copy");
};
} // namespace

static bool flagOf(nb::handle value) {
  if (value.ptr() != Py_True && value.ptr() != Py_False)
    raiseType("copy is " + nb::cast<std::string>(nb::repr(value)) +
              ", must be True or False");
  return value.ptr() == Py_True;
}

static void bindByName(nb::handle name, nb::handle value,
                       CallRequest &request) {
  static const auto *names = new Names;
  // Names in a program's text are interned, so mostly the first will do.
  const auto is = [&](PyObject *known) {
    return name.ptr() == known || PyUnicode_Compare(name.ptr(), known) == 0;
  };
  if (is(names->out))
    request.out = value;
  else if (is(names->stream))
    request.stream = value;
  else if (is(names->copy))
    request.copy = flagOf(value);
  else if (!is(names->input))
    raiseType("no argument '" + nb::cast<std::string>(name) +
              "', legal are input, out, stream and copy");
  else if (request.input.is_valid())
    raiseType("input is given twice");
  else
    request.input = value;
}

static nb::object call(PyObject *self, PyObject *const *arguments, size_t count,
                       PyObject *names) {
  CallRequest request;
  if (count > 0) {
    request.input = arguments[0];
    request.operands = {arguments + 1, count - 1};
  }
  const Py_ssize_t named = names ? PyTuple_Size(names) : 0;
  for (Py_ssize_t i = 0; i < named; ++i)
    bindByName(PyTuple_GetItem(names, i),
               arguments[count + static_cast<size_t>(i)], request);
  if (!request.input.is_valid())
    raiseType("input is missing");
  return layerOf(self).call(request);
}

static PyObject *vectorcall(PyObject *self, PyObject *const *arguments,
                            size_t count, PyObject *names) {
  return guarded([&] {
    return call(self, arguments, static_cast<size_t>(PyVectorcall_NARGS(count)),
                names);
  });
}

/// `layer.__call__(...)`
static PyObject *callMethod(PyObject *self, PyObject *const *arguments,
                            Py_ssize_t count, PyObject *names) {
  return vectorcall(self, arguments, static_cast<size_t>(count), names);
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static PyObject *represent(PyObject *self) {
  return guarded([&] {
    const PreparedLayer &layer = layerOf(self);
    return nb::cast("<ctc.PreparedLayer '" + layer.entry().name + "' for " +
                    layer.moduleInfo().chip + " on " + layer.deviceName() +
                    ">");
  });
}

static PyObject *getEntry(PyObject *self, void *) {
  return guarded([&] { return nb::cast(layerOf(self).entry().name); });
}

static PyObject *getDevice(PyObject *self, void *) {
  return guarded([&] { return nb::cast(layerOf(self).deviceName()); });
}

static PyObject *getChip(PyObject *self, void *) {
  return guarded([&] { return nb::cast(layerOf(self).moduleInfo().chip); });
}

static PyObject *getUsesPtx(PyObject *self, void *) {
  return guarded(
      [&] { return nb::cast(layerOf(self).moduleInfo().uses_ptx != 0); });
}

static PyObject *getPackedBytes(PyObject *self, void *) {
  return guarded([&] { return nb::cast(layerOf(self).packedBytes()); });
}

//===----------------------------------------------------------------------===//
// The type
//===----------------------------------------------------------------------===//

static constexpr const char *kLayerDoc =
    R"(A layer of a bundle on a device, with its packed weights and its bias.

Made by Bundle.prepare. Call it with arrays. Any thread may.)";

static constexpr const char *kCallDoc =
    R"(__call__($self, input, *operands, out=None, stream=None, copy=False)
--

Launches the layer and gives its output.

input: an array of the entry's input shape in memory order (N, Cin, spatial...,
    or N, spatial..., Cin with channels last) and type, dense, on the layer's
    device: of PyTorch, CuPy, NumPy or anything that speaks DLPack or the CUDA
    array interface.
operands: the epilogue's extra operands, in the order of Entry.operands.
out: the array to write, of the output's shape and type, dense, writable, and
    sharing no memory with the inputs. Without it the input's framework makes
    one with its own allocator.
stream: the CUDA stream to launch on: an integer handle, a torch or CuPy stream,
    or anything with __cuda_stream__. Without it the framework's current stream;
    for arrays of no known framework the stream they name, else the default one.
    A stream that is not the framework's current one needs out=.
copy: whether inputs that are not dense are copied; they are an error otherwise.

On a GPU a call launches and returns: it does not wait, allocates nothing but a
missing out, and may be captured into a CUDA graph. On the cpu device arrays are
copied into the PTX machine's memory and back, and the call returns when it is
done.

Raises TypeError for what is no array or has another type, ValueError for another
shape, device or layout, and ctc.DeviceError when the launch fails.)";

static void deallocate(PyObject *self) {
  PyTypeObject *type = Py_TYPE(self);
  delete reinterpret_cast<LayerObject *>(self)->layer;
  reinterpret_cast<freefunc>(PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static PyObject *makeType() {
  static PyMemberDef members[] = {{"__vectorcalloffset__", T_PYSSIZET,
                                   offsetof(LayerObject, call), READONLY,
                                   nullptr},
                                  {nullptr, 0, 0, 0, nullptr}};
  // METH_COEXIST: this `__call__`, which has a docstring, and not the slot's.
  static PyMethodDef methods[] = {
      {"__call__",
       reinterpret_cast<PyCFunction>(reinterpret_cast<void *>(&callMethod)),
       METH_FASTCALL | METH_KEYWORDS | METH_COEXIST, kCallDoc},
      {nullptr, nullptr, 0, nullptr}};
  static PyGetSetDef attributes[] = {
      {"entry", getEntry, nullptr, "The entry's name.", nullptr},
      {"device", getDevice, nullptr, "Where it is: \"cuda:0\" or \"cpu\".",
       nullptr},
      {"chip", getChip, nullptr,
       "The chip whose image of the bundle runs: \"sm_90a\".", nullptr},
      {"uses_ptx", getUsesPtx, nullptr,
       "Whether the image's PTX runs, translated or executed, and not its "
       "cubin.",
       nullptr},
      {"packed_bytes", getPackedBytes, nullptr, "Bytes of the packed weights.",
       nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr}};
  static PyType_Slot slots[] = {
      {Py_tp_doc, const_cast<char *>(kLayerDoc)},
      {Py_tp_dealloc, reinterpret_cast<void *>(&deallocate)},
      {Py_tp_call, reinterpret_cast<void *>(&PyVectorcall_Call)},
      {Py_tp_repr, reinterpret_cast<void *>(&represent)},
      {Py_tp_members, members},
      {Py_tp_methods, methods},
      {Py_tp_getset, attributes},
      {0, nullptr}};
  static PyType_Spec spec = {
      "ctc._runtime.PreparedLayer", sizeof(LayerObject), 0,
      Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
          Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
      slots};
  return PyType_FromSpec(&spec);
}

void python::bindLayer(nb::module_ &module) {
  const nb::object type = nb::steal(makeType());
  if (!type.is_valid())
    throw nb::python_error();
  module.attr("PreparedLayer") = type;
  layerType = reinterpret_cast<PyTypeObject *>(type.inc_ref().ptr());
}

nb::object python::wrapLayer(std::unique_ptr<PreparedLayer> layer) {
  auto allocate =
      reinterpret_cast<allocfunc>(PyType_GetSlot(layerType, Py_tp_alloc));
  nb::object object = nb::steal(allocate(layerType, 0));
  if (!object.is_valid())
    throw nb::python_error();
  auto *made = reinterpret_cast<LayerObject *>(object.ptr());
  made->call = &vectorcall;
  made->layer = layer.release();
  return object;
}
