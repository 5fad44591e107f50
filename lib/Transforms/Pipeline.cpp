//===- Pipeline.cpp - Barriers and buffers around the reduction -----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "IndexMath.h"
#include "Kernels.h"
#include "MmaSync/MmaSync.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"

namespace ctc {
#define GEN_PASS_DEF_PIPELINE
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

namespace {
struct Pipeline : ctc::impl::PipelineBase<Pipeline> {
  void runOnOperation() override {
    if (failed(convertKernels(getOperation(), [&](auto &&...kernel) {
          return convert(kernel...);
        })))
      signalPassFailure();
  }

  LogicalResult convert(gpu::GPUFuncOp function, ir::KernelAttr kernel,
                        const SharedLayout &shared) {
    if (kernel.usesMatrixUnits())
      return pipelineForMma(function, kernel);
    Value arena = addArena(function, shared.totalBytes);
    function.walk([&](ir::ContractOp contract) {
      place(contract, kernel, shared, arena);
    });
    return success();
  }

  /// One workgroup buffer holds everything; lifetimes decide what shares bytes.
  Value addArena(gpu::GPUFuncOp function, int64_t bytes) {
    Builder b(&getContext());
    auto space =
        gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({bytes}, b.getI8Type(),
                                MemRefLayoutAttrInterface(), space);
    Value arena = function.addWorkgroupAttribution(type, function.getLoc());
    function.setWorkgroupAttributionAttr(
        function.getNumWorkgroupAttributions() - 1, "llvm.align",
        b.getI64IntegerAttr(16));
    return arena;
  }

  /// Whether no chunk comes after this one in any block.
  static bool isOnlyChunk(ir::ContractOp contract) {
    auto loop = contract->getParentOfType<scf::ForOp>();
    return !loop || getConstantIntValue(loop.getUpperBound()) == 1;
  }

  void place(ir::ContractOp contract, ir::KernelAttr kernel,
             const SharedLayout &shared, Value arena) {
    ImplicitLocOpBuilder b(contract.getLoc(), contract);
    IndexMath math(b, b.getIndexType());
    gpu::BarrierOp::create(b);
    b.setInsertionPointAfter(contract);
    // A second buffer replaces the second barrier: it is filled while others
    // still read the first, which is filled again only past the next barrier.
    // The only chunk of a block needs neither: a barrier would only keep the
    // multiplications, which LLVM moves behind it, from their operands.
    if (kernel.getStages() == 1 && !isOnlyChunk(contract))
      gpu::BarrierOp::create(b);

    b.setInsertionPointToStart(contract->getBlock());
    if (Operation *chunk = contract.getChunk().getDefiningOp())
      b.setInsertionPointAfter(chunk);
    Value stage = math.rem(contract.getChunk(), kernel.getStages());
    auto replace = [&](Value buffer, int64_t start, int64_t bytes) {
      Value shift = math.add(math.mul(stage, bytes), start);
      Value view = memref::ViewOp::create(b, cast<MemRefType>(buffer.getType()),
                                          arena, shift, ValueRange());
      Operation *allocation = buffer.getDefiningOp();
      buffer.replaceAllUsesWith(view);
      allocation->erase();
    };
    replace(contract.getPatch(), 0, shared.patchBytes);
    replace(contract.getWeights(), kernel.getStages() * shared.patchBytes,
            shared.weightBytes);
  }
};
} // namespace
