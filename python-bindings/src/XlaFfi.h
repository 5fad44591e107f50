//===- XlaFfi.h - Layers as custom calls of XLA -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_XLAFFI_H
#define CTC_PYTHON_XLAFFI_H

#include "Bundle.h"

namespace ctc::python {

/// Makes an entry of a bundle callable from XLA programs and returns the number
/// they name it by, the attribute "layer". It stays registered for the life of
/// the process, as compiled programs may hold the number.
int64_t registerForXla(std::shared_ptr<BundleHandle> bundle,
                       const std::string &entry, const std::string &chip);

/// Handlers for jax.ffi.register_ffi_target, as capsules, by name and platform:
///   ctc_pack(weight) -> packed          u8[packed bytes]
///   ctc_launch(input, packed[, bias], operands...) -> output
/// with the attribute "layer". Platforms are "cpu" and "CUDA".
nanobind::dict xlaHandlers();

} // namespace ctc::python

#endif // CTC_PYTHON_XLAFFI_H
