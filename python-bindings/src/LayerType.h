//===- LayerType.h - PreparedLayer as Python sees it ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_LAYERTYPE_H
#define CTC_PYTHON_LAYERTYPE_H

#include "Layer.h"

namespace ctc::python {

/// Adds the class PreparedLayer to the module.
void bindLayer(nanobind::module_ &module);

/// An instance of it.
nanobind::object wrapLayer(std::unique_ptr<PreparedLayer> layer);

} // namespace ctc::python

#endif // CTC_PYTHON_LAYERTYPE_H
