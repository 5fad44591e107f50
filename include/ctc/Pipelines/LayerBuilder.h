//===- LayerBuilder.h - A module from a layer's attributes ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The shape builder: what `ctc compile --input=...`, `ctc verify` and Python
// call to get the same module a user would have written by hand.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PIPELINES_LAYERBUILDER_H
#define CTC_PIPELINES_LAYERBUILDER_H

#include "ctc/Support/Problem.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace ctc {

/// A step of an epilogue as users spell it.
struct EpilogueStepInfo {
  llvm::StringRef spelling; ///< "leaky_relu:SLOPE".
  llvm::StringRef meaning;  ///< One line for help and docs.
};

/// All steps, in the order of docs/Driver.md.
llvm::ArrayRef<EpilogueStepInfo> epilogueSteps();

/// A module with one entry `layer` that holds the problem's ctc.conv_transpose
/// on tensors. Its arguments are x, w, the bias if the problem has one, and one
/// per epilogue step that reads a tensor, named operand0, operand1, ...
/// `epilogue` holds steps such as "relu" or "leaky_relu:0.2", applied in order.
/// Fails with InvalidProblem when the problem is not legal, with Usage on an
/// unknown step.
Expected<mlir::OwningOpRef<mlir::ModuleOp>>
buildLayer(mlir::MLIRContext &context, const Problem &problem,
           llvm::ArrayRef<std::string> epilogue = {});

} // namespace ctc

#endif // CTC_PIPELINES_LAYERBUILDER_H
