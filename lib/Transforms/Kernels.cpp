//===- Kernels.cpp - The kernels of a module ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ctc/Transforms/Entry.h"

using namespace mlir;
using namespace ctc;

static LogicalResult convertKernel(gpu::GPUFuncOp function,
                                   KernelConversion convert) {
  auto kernel = function->getAttrOfType<ir::KernelAttr>(kKernelAttr);
  if (!kernel)
    return success();
  auto steps = function->getAttrOfType<DenseI64ArrayAttr>(kInputStepAttr);
  if (!steps || steps.size() != kernel.getBox().size())
    return function.emitOpError("has a kernel and no ctc.input_step with one "
                                "value for each size of its box");
  return convert(function, kernel, sharedLayout(kernel, steps.asArrayRef()));
}

LogicalResult ctc::convertKernels(ModuleOp module, KernelConversion convert) {
  WalkResult result = module.walk([&](Operation *op) -> WalkResult {
    if (auto layer = dyn_cast<ir::ConvTransposeOp>(op))
      return layer.emitOpError("is not in a kernel yet, run ctc-tile first");
    if (auto function = dyn_cast<gpu::GPUFuncOp>(op))
      return convertKernel(function, convert);
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
