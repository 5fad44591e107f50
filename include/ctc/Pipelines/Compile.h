//===- Compile.h - From a module to a bundle ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PIPELINES_COMPILE_H
#define CTC_PIPELINES_COMPILE_H

#include "ctc/Bundle/Manifest.h"
#include "ctc/Support/Error.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace ctc {

struct CompileOptions {
  /// Chips by name, no chip twice; empty means all of them.
  std::vector<std::string> chips;
  /// Kernel family to force; empty lets the chooser choose.
  std::string family;
  /// Whether to run ptxas. Without it images hold PTX only.
  bool assemble = true;
  /// Whether the PTX says which operation of the kernels' MLIR each instruction
  /// comes from, and the bundle holds that MLIR.
  bool debug = false;
  /// Place of the kernel in the cost model's ranking; 0 is the best. Neither
  /// tables nor the model choose where it is set.
  std::optional<int64_t> candidate;
  /// Path of a tuning table to look in before the shipped one; empty for none.
  std::string tuningTable;
  /// Whether to look in the shipped tuning table, and the user's.
  bool useTuningTables = true;
};

/// Compiles every entry of a module, which is left as it was, for every chip.
/// Its context must hold the dialects of registerAllDialects. An error's
/// message is the first diagnostic, with its location. Fails with Usage when
/// the tuning table is none, or for a chip that is not compiled for.
Expected<Bundle> compile(mlir::ModuleOp module, const CompileOptions &options);

} // namespace ctc

#endif // CTC_PIPELINES_COMPILE_H
