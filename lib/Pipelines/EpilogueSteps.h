//===- EpilogueSteps.h - Named elementwise functions ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PIPELINES_EPILOGUESTEPS_H
#define CTC_LIB_PIPELINES_EPILOGUESTEPS_H

#include "ctc/Pipelines/LayerBuilder.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// Which elements a step's extra tensor has.
enum class StepOperand : uint8_t { None, Tensor, Channel };

/// A step with its numbers filled in.
struct EpilogueStep {
  /// The value after the step; `operand` is null without an extra tensor. All
  /// values are f32.
  using Build = mlir::Value (*)(mlir::ImplicitLocOpBuilder &b, mlir::Value x,
                                llvm::ArrayRef<double> numbers,
                                mlir::Value operand);
  StepOperand operand = StepOperand::None;
  llvm::SmallVector<double, 2> numbers;
  Build build = nullptr;
};

/// Reads "leaky_relu:0.2". Fails with Usage.
Expected<EpilogueStep> parseEpilogueStep(llvm::StringRef text);

} // namespace ctc

#endif // CTC_LIB_PIPELINES_EPILOGUESTEPS_H
