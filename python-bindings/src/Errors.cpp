//===- Errors.cpp - Failures as Python exceptions -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Errors.h"

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

[[noreturn]] static void raise(PyObject *type, const std::string &message) {
  PyErr_SetString(type, message.c_str());
  throw nb::python_error();
}

void python::raiseOwn(const char *className, const std::string &message) {
  const nb::object type = nb::module_::import_("ctc._errors").attr(className);
  raise(type.ptr(), message);
}

void python::raiseType(const std::string &message) {
  raise(PyExc_TypeError, message);
}

void python::raiseValue(const std::string &message) {
  raise(PyExc_ValueError, message);
}

void python::raiseStatus(ctc_status status, const std::string &message) {
  switch (status) {
  case CTC_INVALID_ARGUMENT:
    raiseValue(message);
  case CTC_FILE_ERROR:
    raise(PyExc_OSError, message);
  case CTC_INVALID_BUNDLE:
    raiseOwn("BundleError", message);
  case CTC_NO_DEVICE:
    raiseOwn("NoDeviceError", message);
  case CTC_NO_IMAGE:
    raiseOwn("NoImageError", message);
  case CTC_OUT_OF_MEMORY:
    raiseOwn("OutOfMemoryError", message);
  case CTC_OK:
  case CTC_NOT_PREPARED:
  case CTC_DEVICE_ERROR:
    break;
  }
  raiseOwn("DeviceError", message);
}

void python::must(ctc_status status) {
  if (status != CTC_OK)
    raiseStatus(status, ctc_last_error());
}

static void setError(const runtime::Error &failure) {
  try {
    raiseStatus(failure.status(), failure.what());
  } catch (nb::python_error &raised) {
    raised.restore();
  }
}

void python::raiseCurrent() {
  try {
    throw;
  } catch (nb::python_error &raised) {
    raised.restore();
  } catch (const runtime::Error &failure) {
    setError(failure);
  } catch (const std::bad_alloc &) {
    PyErr_NoMemory();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

void python::registerErrors() {
  nb::register_exception_translator(
      [](const std::exception_ptr &error, void *) {
        try {
          std::rethrow_exception(error);
        } catch (const runtime::Error &failure) {
          setError(failure);
        }
      });
}
