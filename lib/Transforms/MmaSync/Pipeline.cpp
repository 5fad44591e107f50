//===- Pipeline.cpp - Copies ahead of multiplications ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With S stages of buffers and copies that go on by themselves,
//
//   issue 0 ... S-2; wait for 0; complete 0
//   for chunk: wait for chunk + 1; barrier
//              multiply chunk; issue chunk + S-1; complete chunk + 1
//              (with three stages issue comes first)
//
// where the barrier says that everyone has completed chunk and has multiplied
// chunk - 1, whose buffer is filled next. What follows the barrier is one piece
// of straight code, so that ptxas puts copies and rounding into the gaps
// between matrix instructions. With two stages there is nothing ahead to
// complete:
//
//   for chunk: wait for chunk; complete chunk; barrier; issue chunk + 1;
//   multiply
//
// Copies that threads hold in registers have two stages as well:
//
//   issue 0; complete 0
//   for chunk: barrier; issue chunk + 1; multiply; complete chunk + 1
//
// One stage issues, completes and multiplies between two barriers.
//
// Multiplications that go on by themselves, too, those of wgmma, are still
// under way when the next chunk's begin. So there are three stages or more,
//
//   issue 0 ... S-3
//   for chunk: wait for chunk; barrier
//              issue chunk + S-2; multiply chunk, which ends chunk - 1
//
// and the buffer that is filled is that of chunk - 2. With fewer stages a
// multiplication is ended before the next barrier.
//
//===----------------------------------------------------------------------===//

#include "../IndexMath.h"
#include "MmaSync.h"
#include "ctc/Support/IntegerMath.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
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
        function(function), stages(kernel.getStages()),
        asyncReaders(kernel.usesWarpgroups()), contract(contract) {}

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
    else if (copy.getAsync() && stages > 2 && asyncReaders)
      buildUnderWay();
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
    patch = bufferOf(contract.getPatch());
    weights = bufferOf(contract.getWeights());
    ImplicitLocOpBuilder top(contract.getLoc(), b.getContext());
    top.setInsertionPointToStart(&function.getBody().front());
    arena = dynamicShared(top);
  }

  /// The allocation behind a tile.
  static Operation *bufferOf(Value tile) {
    return tile.getDefiningOp<memref::ReinterpretCastOp>()
        .getSource()
        .getDefiningOp();
  }

  static int64_t bytesOf(Operation *allocation) {
    return bufferBytes(cast<MemRefType>(allocation->getResult(0).getType()));
  }

  /// A stage's bytes of the arena, in the type of the buffer it replaces.
  Value viewOf(Operation *allocation, Value stage, int64_t start) {
    auto type = cast<MemRefType>(allocation->getResult(0).getType());
    Value shift = index.add(index.mul(stage, bytesOf(allocation)), start);
    return memref::ViewOp::create(b, type, arena, shift, ValueRange());
  }

  /// What the loop's body computes for a chunk, without copy and contraction,
  /// and the chunk's buffers: those of its own number, or of `slot`.
  IRMapping coordinates(Value chunk, Value slot = Value()) {
    IRMapping mapping;
    mapping.map(loop.getInductionVar(), chunk);
    Value stage = index.rem(slot ? slot : chunk, stages);
    mapping.map(patch->getResult(0), viewOf(patch, stage, 0));
    mapping.map(weights->getResult(0),
                viewOf(weights, stage, stages * bytesOf(patch)));
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

  /// Everyone's copies have arrived for everyone (PTX ISA 9.7.13.4, "membar,
  /// fence": fence.proxy.async between writes and reads of another proxy).
  void meet() {
    if (asyncReaders)
      NVVM::FenceProxyOp::create(
          b,
          NVVM::ProxyKindAttr::get(b.getContext(),
                                   NVVM::ProxyKind::async_shared),
          NVVM::SharedSpaceAttr::get(b.getContext(),
                                     NVVM::SharedSpace::shared_cta));
    gpu::BarrierOp::create(b);
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
  /// The sums once nothing is under way.
  Value settle(Value acc) {
    return asyncReaders ? ir::SettleOp::create(b, acc.getType(), acc) : acc;
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
    meet();
    Value acc = settle(multiply(chunk, next.getRegionIterArgs().front()));
    gpu::BarrierOp::create(b);
    close(next, acc);
  }

  /// The chunk, or the last one: what comes past it is not used.
  Value clamp(Value chunk) {
    return index.min(chunk, index.add(loop.getUpperBound(), -1));
  }

  /// Enters an if that holds where there is any chunk.
  void enterIfAny() {
    auto some = scf::IfOp::create(
        b, index.less(index.constant(0), loop.getUpperBound()),
        /*withElseRegion=*/false);
    b.setInsertionPointToStart(some.thenBlock());
  }

  /// Issues a chunk; its group exists even where the chunk does not, so that
  /// groups can be counted, but then reads nothing.
  void issueGroup(Value chunk) {
    Value exists = index.less(chunk, loop.getUpperBound());
    IRMapping mapping = coordinates(clamp(chunk), chunk);
    for (Operation &op : copy.getIssue().front().without_terminator()) {
      Operation *clone = b.clone(op, mapping);
      clone->walk([&](nvgpu::DeviceAsyncCopyOp async) {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPoint(async);
        async.getSrcElementsMutable().assign(arith::SelectOp::create(
            b, exists, async.getSrcElements(), index.constant(0)));
      });
    }
    commit();
  }

  /// Issues the first `count` chunks before the loop, and stays where there is
  /// any chunk.
  void issueFirst(int64_t count) {
    b.setInsertionPoint(loop);
    enterIfAny();
    auto first = scf::ForOp::create(b, index.constant(0), index.constant(count),
                                    index.constant(1));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(first.getBody());
    issueGroup(first.getInductionVar());
  }

  void buildAsync() {
    const bool ahead = stages > 2;
    issueFirst(stages - 1);
    if (ahead) {
      wait(stages - 2);
      complete(index.constant(0), {});
    }

    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    wait(ahead ? stages - 3 : 0);
    if (!ahead)
      complete(chunk, {});
    meet();
    Value later = index.add(chunk, stages - 1), following = index.add(chunk, 1);
    // What is issued here has one multiplication's time with up to three
    // stages; with more it can wait for a gap behind that.
    const bool early = stages <= 3;
    if (early)
      issueGroup(later);
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    if (!early)
      issueGroup(later);
    if (ahead)
      complete(clamp(following), {}, following);
    close(next, settle(acc));
    // Nothing arrives behind the loop, when the bytes serve others.
    b.setInsertionPointAfter(next);
    wait(0);
  }

  void buildUnderWay() {
    issueFirst(stages - 2);
    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    wait(stages - 3);
    meet();
    issueGroup(index.add(chunk, stages - 2));
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    close(next, acc);
    b.setInsertionPointAfter(next);
    auto settled = ir::SettleOp::create(b, acc.getType(), next.getResult(0));
    next.getResult(0).replaceAllUsesExcept(settled, settled);
    wait(0);
  }

  void buildThroughRegisters() {
    b.setInsertionPoint(loop);
    enterIfAny();
    Value zero = index.constant(0);
    SmallVector<Value> held = issue(zero);
    commit();
    complete(zero, held);

    scf::ForOp next = open();
    Value chunk = next.getInductionVar();
    wait(0);
    meet();
    Value following = index.add(chunk, 1);
    Value exists = index.less(following, loop.getUpperBound());
    held = issueIf(exists, following);
    commit();
    Value acc = multiply(chunk, next.getRegionIterArgs().front());
    {
      OpBuilder::InsertionGuard guard(b);
      auto some = scf::IfOp::create(b, exists, /*withElseRegion=*/false);
      b.setInsertionPointToStart(some.thenBlock());
      complete(following, held);
    }
    close(next, settle(acc));
  }

  /// What a chunk's issue yields, if there is one.
  SmallVector<Value> issueIf(Value exists, Value chunk) {
    const auto types =
        copy.getIssue().front().getTerminator()->getOperandTypes();
    auto some = scf::IfOp::create(b, types, exists, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(some.thenBlock());
    SmallVector<Value> held = issue(chunk);
    if (types.empty())
      return {};
    scf::YieldOp::create(b, held);
    b.setInsertionPointToStart(some.elseBlock());
    SmallVector<Value> nothing;
    for (Type type : types)
      nothing.push_back(arith::ConstantOp::create(b, b.getZeroAttr(type)));
    scf::YieldOp::create(b, nothing);
    return SmallVector<Value>(some.getResults());
  }

  ImplicitLocOpBuilder b;
  IndexMath index;
  gpu::GPUFuncOp function;
  const int64_t stages;
  /// Whether weights are read by wgmma, through the asynchronous proxy.
  const bool asyncReaders;
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
