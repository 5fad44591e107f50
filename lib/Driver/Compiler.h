//===- Compiler.h - From a file or flags to a bundle ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_COMPILER_H
#define CTC_LIB_DRIVER_COMPILER_H

#include "ctc/Bundle/Manifest.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"

#include <memory>

namespace ctc::driver {

/// What to compile a module for.
struct CompileRequest {
  std::vector<std::string> chips;
  std::string family; ///< Empty leaves the choice to the compiler.
  std::optional<int64_t> candidate; ///< CompileOptions::candidate
  std::string tuningTable;          ///< CompileOptions::tuningTable
  bool useTuningTables = true;      ///< CompileOptions::useTuningTables
  /// Whether cubins are needed; without them compiling takes no ptxas.
  bool assemble = true;
  bool debug = false; ///< CompileOptions::debug
};

/// An MLIR context with all dialects, and the source its diagnostics quote.
class CompilerSession {
public:
  CompilerSession();
  ~CompilerSession();

  mlir::MLIRContext &context() { return *mlirContext; }

  /// Parses MLIR text; what is wrong is printed as diagnostics with
  /// "name:line:column". Fails with InvalidProblem and no message.
  Expected<mlir::OwningOpRef<mlir::ModuleOp>> parse(const std::string &text,
                                                    const std::string &name);

  /// Compiles a module, which is left as it is, into a sound bundle. Fails with
  /// InvalidProblem; the message has what the passes have to say.
  Expected<Bundle> compile(mlir::ModuleOp module,
                           const CompileRequest &request);

private:
  class Diagnostics;
  std::unique_ptr<mlir::MLIRContext> mlirContext;
  llvm::SourceMgr sources;
  std::unique_ptr<Diagnostics> diagnostics;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_COMPILER_H
