//===- Pipeline.cpp - Copies ahead of multiplications ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With S stages of buffers and copies that go on by themselves,
//
//   issue 0 ... S-2
//   for chunk: wait for its group; complete; barrier; issue chunk + S-1;
//   multiply
//
// where the barrier also says that everyone has multiplied chunk - 1, whose
// buffer is filled next. Copies that threads hold in registers have two stages:
//
//   issue 0; complete 0
//   for chunk: barrier; issue chunk + 1; multiply; complete chunk + 1
//
// One stage issues, completes and multiplies between two barriers.
//
//===----------------------------------------------------------------------===//

#include "../IndexMath.h"
#include "MmaSync.h"
#include "ctc/Support/IntegerMath.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace ctc;

namespace {

class ChunkPipeline {
public:
  ChunkPipeline(gpu::GPUFuncOp function, ir::KernelAttr kernel,
                ir::ContractOp contract)
      : b(contract.getLoc(), contract), index(b, b.getIndexType()),
        function(function), stages(kernel.getStages()), contract(contract) {}

  LogicalResult build() {
    loop = dyn_cast<scf::ForOp>(contract->getParentOp());
    auto copies = contract->getBlock()->getOps<ir::CopyChunkOp>();
    if (!loop || copies.empty())
      return contract.emitOpError("is not in a loop with a ctc.copy_chunk, run "
                                  "ctc-implicit-im2col first");
    copy = *copies.begin();
    if (!copy.getAsync() && stages > 2)
      return contract.emitOpError("has ")
             << stages << " stages and copies through registers, must have 1 "
             << "or 2";
    placeBuffers();
    if (stages == 1)
      buildSerial();
    else if (copy.getAsync())
      buildAsync();
    else
      buildThroughRegisters();
    loop.erase();
    for (Operation *allocation : {patch, weights})
      allocation->erase();
    return success();
  }

private:
  /// The arena at the top of the kernel: all patches, then all weights.
  void placeBuffers() {
    patch = contract.getPatch().getDefiningOp();
    weights = contract.getWeights().getDefiningOp();
    ImplicitLocOpBuilder top(contract.getLoc(), b.getContext());
    top.setInsertionPointToStart(&function.getBody().front());
    auto space = gpu::AddressSpaceAttr::get(b.getContext(),
                                            gpu::AddressSpace::Workgroup);
    arena = gpu::DynamicSharedMemoryOp::create(
        top, MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                             MemRefLayoutAttrInterface(), space));
  }

  /// A stage's bytes of the arena, in the type of the buffer it replaces.
  Value viewOf(Operation *allocation, Value stage, int64_t start) {
    auto type = cast<MemRefType>(allocation->getResult(0).getType());
    const int64_t bytes = roundUp(bufferBytes(type), 16);
    auto flat =
        MemRefType::get({bufferBytes(type) * 8 / type.getElementTypeBitWidth()},
                        type.getElementType(), MemRefLayoutAttrInterface(),
                        type.getMemorySpace());
    Value shift = index.add(index.mul(stage, bytes), start);
    Value view = memref::ViewOp::create(b, flat, arena, shift, ValueRange());
    auto [strides, offset] = type.getStridesAndOffset();
    return memref::ReinterpretCastOp::create(b, type, view, /*offset=*/0,
                                             type.getShape(), strides);
  }

  /// What the loop's body computes for a chunk, without copy and contraction,
  /// and the chunk's buffers: those of its own number, or of `slot`.
  IRMapping coordinates(Value chunk, Value slot = Value()) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), chunk);
    Value stage = index.rem(slot ? slot : chunk, stages);
    const int64_t patchBytes = roundUp(
        bufferBytes(cast<MemRefType>(patch->getResult(0).getType())), 16);
    mapping.map(patch->getResult(0), viewOf(patch, stage, 0));
    mapping.map(weights->getResult(0),
                viewOf(weights, stage, stages * patchBytes));
    for (Operation &op : loop.getBody()->without_terminator())
      if (&op != copy && &op != contract)
        b.clone(op, mapping);
    return mapping;
  }

  SmallVector<Value> issue(Value chunk, Value slot = Value()) {
    IRMapping mapping = coordinates(chunk, slot);
    return inlineRegion(copy.getIssue(), mapping);
  }

  void complete(Value chunk, ValueRange held, Value slot = Value()) {
    IRMapping mapping = coordinates(chunk, slot);
    mapping.map(copy.getComplete().getArguments(), held);
    inlineRegion(copy.getComplete(), mapping);
  }

  Value multiply(Value chunk, Value acc) {
    IRMapping mapping = coordinates(chunk);
    mapping.map(loop.getRegionIterArgs().front(), acc);
    return b.clone(*contract, mapping)->getResult(0);
  }

  SmallVector<Value> inlineRegion(Region &region, IRMapping &mapping) {
    for (Operation &op : region.front().without_terminator())
      b.clone(op, mapping);
    SmallVector<Value> values;
    for (Value value : region.front().getTerminator()->getOperands())
      values.push_back(mapping.lookupOrDefault(value));
    return values;
  }

  void commit() { NVVM::CpAsyncCommitGroupOp::create(b); }
  void wait(int64_t left) {
    NVVM::CpAsyncWaitGroupOp::create(b, int32_t(left));
  }

  /// The new loop over chunks, the builder inside it; close() ends it.
  scf::ForOp open() {
    b.setInsertionPoint(loop);
    auto next =
        scf::ForOp::create(b, loop.getLowerBound(), loop.getUpperBound(),
                           loop.getStep(), loop.getInitArgs());
    b.setInsertionPointToStart(next.getBody());
    return next;
  }
  void close(scf::ForOp next, Value acc) {
    b.setInsertionPointToEnd(next.getBody());
    scf::YieldOp::create(b, acc);
    loop.getResult(0).replaceAllUsesWith(next.getResult(0));
  }

  void buildSerial() {
    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    SmallVector<Value> held = issue(chunk);
    commit();
    wait(0);
    complete(chunk, held);
    gpu::BarrierOp::create(b);
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    gpu::BarrierOp::create(b);
    close(next, acc);
  }

  /// Issues a chunk if there is one; its group exists either way, so that
  /// groups can be counted.
  void issueIfAny(Value chunk) {
    {
      OpBuilder::InsertionGuard guard(b);
      auto some = scf::IfOp::create(b, index.less(chunk, loop.getUpperBound()),
                                    /*withElseRegion=*/false);
      b.setInsertionPointToStart(some.thenBlock());
      issue(chunk);
    }
    commit();
  }

  void buildAsync() {
    b.setInsertionPoint(loop);
    auto first = scf::ForOp::create(
        b, index.constant(0), index.constant(stages - 1), index.constant(1));
    b.setInsertionPointToStart(first.getBody());
    issueIfAny(first.getInductionVar());

    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    wait(stages - 2);
    complete(chunk, {});
    gpu::BarrierOp::create(b);
    issueIfAny(index.add(chunk, stages - 1));
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    close(next, acc);
  }

  void buildThroughRegisters() {
    b.setInsertionPoint(loop);
    auto some = scf::IfOp::create(
        b, index.less(index.constant(0), loop.getUpperBound()),
        /*withElseRegion=*/false);
    b.setInsertionPointToStart(some.thenBlock());
    Value zero = index.constant(0);
    SmallVector<Value> held = issue(zero);
    commit();
    complete(zero, held);

    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    wait(0);
    gpu::BarrierOp::create(b);
    // Past the last chunk that one is copied once more, where nobody reads.
    Value ahead =
        index.min(index.add(chunk, 1), index.add(loop.getUpperBound(), -1));
    Value slot = index.add(chunk, 1);
    held = issue(ahead, slot);
    commit();
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    complete(ahead, held, slot);
    close(next, acc);
  }

  ImplicitLocOpBuilder b;
  IndexMath index;
  gpu::GPUFuncOp function;
  const int64_t stages;
  ir::ContractOp contract;
  ir::CopyChunkOp copy;
  scf::ForOp loop;
  Operation *patch = nullptr, *weights = nullptr;
  Value arena;
};

} // namespace

LogicalResult ctc::pipelineForMma(gpu::GPUFuncOp function,
                                  ir::KernelAttr kernel) {
  SmallVector<ir::ContractOp> contracts;
  function.walk([&](ir::ContractOp op) { contracts.push_back(op); });
  for (ir::ContractOp contract : contracts)
    if (failed(ChunkPipeline(function, kernel, contract).build()))
      return failure();
  return success();
}
