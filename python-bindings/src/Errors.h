//===- Errors.h - Failures as Python exceptions -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_ERRORS_H
#define CTC_PYTHON_ERRORS_H

#include "ctc/Runtime/ctc_runtime.hpp"

#include <nanobind/nanobind.h>

namespace ctc::python {

/// Raises a class of ctc/_errors.py.
[[noreturn]] void raiseOwn(const char *className, const std::string &message);
[[noreturn]] void raiseType(const std::string &message);
[[noreturn]] void raiseValue(const std::string &message);

/// Raises what a status of the C API means: ValueError for
/// CTC_INVALID_ARGUMENT, else a class of ctc/_errors.py.
[[noreturn]] void raiseStatus(ctc_status status, const std::string &message);

/// Raises the calling thread's last failure unless `status` is CTC_OK.
void must(ctc_status status);

/// Sets the Python error of the exception being handled.
void raiseCurrent();

/// Runs the body of a function that CPython calls, which gives a nanobind
/// object, and turns what it throws into the Python error.
template <typename Body> PyObject *guarded(Body body) {
  try {
    return body().release().ptr();
  } catch (...) {
    raiseCurrent();
    return nullptr;
  }
}

/// Turns runtime::Error, which the C++ wrapper throws, into the same.
void registerErrors();

} // namespace ctc::python

#endif // CTC_PYTHON_ERRORS_H
