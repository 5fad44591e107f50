//===- Kernels.cpp - The kernels of a module ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Transforms/Entry.h"

using namespace mlir;
using namespace ctc;

Chip ctc::targetOf(ModuleOp module) {
  auto target = module->getAttrOfType<ir::TargetAttr>(kTargetAttr);
  return target ? *findChip(target.getChip()) : allChips().front();
}

static LogicalResult convertKernel(gpu::GPUFuncOp function,
                                   KernelConversion convert) {
  auto kernel = function->getAttrOfType<ir::KernelAttr>(kKernelAttr);
  if (!kernel)
    return success();
  auto window = function->getAttrOfType<DenseI64ArrayAttr>(kWindowAttr);
  if (!window || window.size() != kernel.getBox().size())
    return function.emitOpError("has a kernel and no ctc.window with one size "
                                "for each of its box");
  bool staged = false;
  function.walk([&](ir::StoreTileOp op) {
    const MemRefType output = op.getOutput().getType();
    const bool last = op.getLayout() == ir::Layout::ChannelsLast;
    staged |= storesStaged(kernel, ir::elementType(output),
                           last ? Layout::ChannelsLast : Layout::ChannelsFirst,
                           output.getDimSize(output.getRank() - (last ? 2 : 1)),
                           op.getStride().back());
  });
  return convert(function, kernel,
                 sharedLayout(kernel, window.asArrayRef(), staged));
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
