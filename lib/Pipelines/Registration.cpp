//===- Registration.cpp - Everything ctc adds to MLIR ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Pipelines/Registration.h"
#include "ctc/Conversion/Passes.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Pipelines/Pipelines.h"
#include "ctc/Transforms/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void ctc::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<ir::CTCDialect>();
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
}

void ctc::registerAllPasses() {
  registerTransformsPasses();
  registerConversionPasses();
  registerPipelines();
}
