//===- Passes.h - Front doors in, NVVM out --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CONVERSION_PASSES_H
#define CTC_CONVERSION_PASSES_H

#include "mlir/Pass/Pass.h"

namespace ctc {

#define GEN_PASS_DECL
#include "ctc/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ctc/Conversion/Passes.h.inc"

} // namespace ctc

#endif // CTC_CONVERSION_PASSES_H
