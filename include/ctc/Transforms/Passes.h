//===- Passes.h - The rungs of the ladder ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TRANSFORMS_PASSES_H
#define CTC_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace ctc {

#define GEN_PASS_DECL
#include "ctc/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "ctc/Transforms/Passes.h.inc"

} // namespace ctc

#endif // CTC_TRANSFORMS_PASSES_H
