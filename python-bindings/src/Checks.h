//===- Checks.h - What an array must be to be an argument -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_CHECKS_H
#define CTC_PYTHON_CHECKS_H

#include "Bundle.h"

namespace ctc::python {

/// Raises TypeError for a wrong type of elements and ValueError for a wrong
/// device or shape. `batch` is CTC_DYNAMIC until an argument has set it.
void checkType(const ArgumentSpec &spec, const TensorView &view);
void checkDevice(const char *name, const TensorView &view,
                 const DeviceRef &device);
void checkShape(const ArgumentSpec &spec, const TensorView &view,
                int64_t &batch);
/// Raises ValueError for an array with gaps or in another order.
void checkDense(const char *name, const TensorView &view, const char *advice);
/// Raises ValueError when two arrays share memory.
void checkDisjoint(const ArgumentSpec &output, const TensorView &outputView,
                   const ArgumentSpec &other, const TensorView &otherView);

} // namespace ctc::python

#endif // CTC_PYTHON_CHECKS_H
