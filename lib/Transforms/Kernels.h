//===- Kernels.h - The kernels of a module --------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_KERNELS_H
#define CTC_LIB_TRANSFORMS_KERNELS_H

#include "ctc/Dialect/CTC.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace ctc {

/// The chip that the module names, the oldest when it names none.
Chip targetOf(mlir::ModuleOp module);

/// What the passes between ctc-tile and ctc-to-nvvm do to one kernel: its
/// function, the decision it obeys, and the workgroup memory that follows.
using KernelConversion = llvm::function_ref<llvm::LogicalResult(
    mlir::gpu::GPUFuncOp, ir::KernelAttr, const SharedLayout &)>;

/// Converts every function that carries a #ctc.kernel, up to the first failure.
/// A kernel without its input steps is an error.
llvm::LogicalResult convertKernels(mlir::ModuleOp module,
                                   KernelConversion convert);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_KERNELS_H
