//===- Registration.h - Everything ctc adds to MLIR -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PIPELINES_REGISTRATION_H
#define CTC_PIPELINES_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace ctc {

/// The ctc dialect, all upstream dialects, and the extensions and translations
/// that the pipelines need.
void registerAllDialects(mlir::DialectRegistry &registry);

/// The ctc passes and named pipelines. Upstream passes are the caller's choice.
void registerAllPasses();

} // namespace ctc

#endif // CTC_PIPELINES_REGISTRATION_H
