//===- CtcPlugin.cpp - The ctc dialect and passes for mlir-opt ------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One module serves both of mlir-opt's plugin options:
//
//   mlir-opt --load-dialect-plugin=CtcPlugin.so --load-pass-plugin=CtcPlugin.so
//
// The host must be of the MLIR release the plugin was built with.
//
//===----------------------------------------------------------------------===//

#include "ctc/Dialect/CTC.h"
#include "ctc/Pipelines/Registration.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/Plugins/DialectPlugin.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

/// Called by the host with its registry; upstream's dialects are its own.
static void registerCtcDialect(mlir::DialectRegistry *registry) {
  registry->insert<ctc::ir::CTCDialect>();
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::DialectPluginLibraryInfo
mlirGetDialectPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "ctc", LLVM_VERSION_STRING,
          registerCtcDialect};
}

extern "C" LLVM_ATTRIBUTE_WEAK mlir::PassPluginLibraryInfo
mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "ctc", LLVM_VERSION_STRING,
          ctc::registerAllPasses};
}
