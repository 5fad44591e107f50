//===- Tile.cpp - One launchable body per kernel --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A block's number decodes, outermost first, into
//
//   (batch tile, groups, channel tile, box per dimension, phase per dimension)
//
// so that blocks that write neighbouring outputs run side by side and their
// partial sectors meet in the cache.
//
//===----------------------------------------------------------------------===//

#include "IndexMath.h"
#include "Kernels.h"
#include "PackKernel.h"
#include "PhaseTable.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhaseGroup.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace ctc {
#define GEN_PASS_DEF_TILE
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

namespace {

/// Everything about a layer that its kernel's body is built from.
struct LayerPlan {
  ir::ConvTransposeOp op;
  ir::KernelAttr kernel;
  Problem problem;
  std::vector<DimPhasePlan> dims;
  std::vector<int64_t> halo; ///< Of a chunk, per dimension.
  int64_t dynamicBytes = 0;  ///< Workgroup memory asked for at launch.
  int64_t channelTiles = 0;
  SmallVector<int64_t> boxes;  ///< Per dimension, of the largest phase.
  SmallVector<int64_t> phases; ///< Per dimension; 1 where they are grouped.

  size_t rank() const { return dims.size(); }
  bool isGrouped(size_t i) const { return kernel.getPhases()[i] > 1; }
  bool isAnyGrouped() const { return kernel.getPhaseCount() > 1; }
  /// Blocks along the groups.
  int64_t groupTiles() const {
    return ceilDiv(problem.groups, kernel.getGroups());
  }
  /// Channels that a block's run is a part of, of `perGroup` a group: those of
  /// its group, or all where it takes several groups.
  int64_t channelSpan(int64_t perGroup) const {
    return kernel.getGroups() > 1 ? problem.groups * perGroup : perGroup;
  }
  /// Trips of the loop over chunks of input channels.
  int64_t channelChunks() const {
    return ceilDiv(problem.inputChannelsPerGroup(), kernel.getChunkChannels());
  }

  /// No tap reaches any input: the output is epilogue(bias).
  bool isTapless() const {
    if (problem.inputChannels == 0)
      return true;
    for (auto [dim, plan] : llvm::zip_equal(problem.dims, dims))
      if (dim.input == 0 || plan.maxTapCount == 0)
        return true;
    return false;
  }

  bool isEmpty() const {
    auto shape = problem.outputShape();
    return llvm::is_contained(shape, 0);
  }
};

/// The block-uniform coordinates of one block.
struct BlockPosition {
  Value sample, samples, group, channelTile;
  SmallVector<PhaseRow> rows;   ///< One per dimension.
  SmallVector<Value> boxOrigin; ///< First position of the box in its phase.
  /// Positions from there to the phase's end; outputs where they are grouped.
  SmallVector<Value> extent;
  SmallVector<Value> firstTap, lastTap; ///< Taps after clipping, last excluded.
};

/// Builds the body of a kernel.
class KernelBuilder {
public:
  KernelBuilder(ImplicitLocOpBuilder &builder, LayerPlan &plan,
                gpu::GPUFuncOp function)
      : b(builder), plan(plan), function(function),
        math(builder, builder.getIndexType()) {}

  void build(ArrayRef<memref::GlobalOp> tables) {
    BlockPosition at = decodeBlock(tables);
    Value inside = isInside(at);
    if (!inside)
      return buildTile(at);
    auto guard = scf::IfOp::create(b, inside, /*withElseRegion=*/false);
    b.setInsertionPointToStart(guard.thenBlock());
    buildTile(at);
    b.setInsertionPointAfter(guard);
  }

private:
  Value input() { return function.getArgument(0); }
  Value packed() { return function.getArgument(1); }

  BlockPosition decodeBlock(ArrayRef<memref::GlobalOp> tables) {
    // Grids have less than 2^31 blocks: 32-bit divisions.
    IndexMath local(b, b.getI32Type());
    Value block = local.cast(gpu::BlockIdOp::create(b, gpu::Dimension::x));
    SmallVector<int64_t> basis{1, plan.groupTiles(), plan.channelTiles};
    llvm::append_range(basis, plan.boxes);
    llvm::append_range(basis, plan.phases);
    SmallVector<Value> parts;
    for (Value part : local.delinearize(block, basis))
      parts.push_back(math.cast(part));

    BlockPosition at;
    at.sample = math.mul(parts[0], plan.kernel.getBatch());
    at.samples = plan.problem.hasDynamicBatch()
                     ? math.cast(function.getArguments().back())
                     : math.constant(plan.problem.batch);
    at.group = parts[1];
    at.channelTile = parts[2];
    for (size_t i = 0; i < plan.rank(); ++i) {
      at.boxOrigin.push_back(math.mul(parts[3 + i], plan.kernel.getBox()[i]));
      if (plan.isGrouped(i)) {
        locateGroup(at, i);
        continue;
      }
      at.rows.push_back(loadPhaseRow(b, tables[i], parts[3 + plan.rank() + i]));
      at.extent.push_back(math.sub(at.rows[i].qCount, at.boxOrigin[i]));
      if (plan.kernel.getClip())
        clipTaps(at, i);
      else
        walkTaps(at, i);
    }
    return at;
  }

  /// All phases of dimension i in one block, with all taps of the kernel.
  void locateGroup(BlockPosition &at, size_t i) {
    const SpatialDim &dim = plan.problem.dims[i];
    const PhaseGroup group = groupPhases(dim, plan.dims[i]);
    Value zero = math.constant(0), kernel = math.constant(dim.kernel);
    at.rows.push_back({math.constant(plan.dims[i].maxQCount), kernel, zero,
                       math.constant(group.inputBase), zero});
    at.extent.push_back(math.sub(math.constant(plan.dims[i].outputSize),
                                 math.mul(at.boxOrigin[i], dim.stride)));
    at.firstTap.push_back(zero);
    at.lastTap.push_back(kernel);
  }

  /// All taps of the block's phase; a constant where all phases have as many.
  void walkTaps(BlockPosition &at, size_t i) {
    const auto &phases = plan.dims[i].phases;
    at.firstTap.push_back(math.constant(0));
    const bool same = llvm::all_equal(llvm::map_range(
        phases, [](const Phase &phase) { return phase.tapCount; }));
    at.lastTap.push_back(same ? math.constant(plan.dims[i].maxTapCount)
                              : at.rows[i].tapCount);
  }

  /// Taps [first, last) of the block's phase that reach the input from any
  /// position of the box. Tap j reads inputBase + x - j * step for x in
  /// [boxOrigin, boxOrigin + count).
  void clipTaps(BlockPosition &at, size_t i) {
    const int64_t step = plan.dims[i].inputStep;
    Value count =
        math.min(at.extent[i], math.constant(plan.kernel.getBox()[i]));
    Value first = math.add(at.rows[i].inputBase, at.boxOrigin[i]);
    Value last = math.add(math.add(first, count), -1);
    Value stepValue = math.constant(step);
    Value low = arith::CeilDivSIOp::create(
        b, math.add(first, 1 - plan.problem.dims[i].input), stepValue);
    Value high = math.add(arith::FloorDivSIOp::create(b, last, stepValue), 1);
    at.firstTap.push_back(math.max(low, math.constant(0)));
    at.lastTap.push_back(math.min(high, at.rows[i].tapCount));
  }

  /// Whether the block's box starts inside its phase; nothing when all do.
  Value isInside(const BlockPosition &at) {
    Value inside;
    for (size_t i = 0; i < plan.rank(); ++i) {
      const int64_t box = plan.kernel.getBox()[i];
      // Of grouped phases the largest decides, and it fills every box.
      if (plan.isGrouped(i))
        continue;
      const bool all = llvm::all_of(plan.dims[i].phases, [&](const Phase &p) {
        return ceilDiv(p.qCount, box) == plan.boxes[i];
      });
      if (all)
        continue;
      Value here = math.less(math.constant(0), at.extent[i]);
      inside = inside ? arith::AndIOp::create(b, inside, here) : here;
    }
    return inside;
  }

  void buildTile(const BlockPosition &at) {
    auto type = VectorType::get(
        {plan.kernel.getPositions(),
         plan.kernel.getChannels() * plan.kernel.getPhaseCount()},
        b.getF32Type());
    Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
    Value acc = plan.isTapless() ? zero : buildReduction(at, zero);
    buildStore(at, acc);
  }

  /// One loop over the chunks of the reduction: chunks of taps, outermost
  /// dimension first, and under them chunks of input channels.
  Value buildReduction(const BlockPosition &at, Value acc) {
    SmallVector<Value> trips;
    Value total = math.constant(plan.channelChunks());
    for (size_t i = 0; i < plan.rank(); ++i) {
      trips.push_back(tapChunks(at, i));
      total = math.mul(total, trips.back());
    }
    auto loop =
        scf::ForOp::create(b, math.constant(0), total, math.constant(1), acc);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value chunk = loop.getInductionVar();
    Value channel = math.mul(math.rem(chunk, plan.channelChunks()),
                             plan.kernel.getChunkChannels());
    SmallVector<Value> taps(plan.rank());
    Value rest = math.div(chunk, plan.channelChunks());
    for (size_t i = plan.rank(); i-- > 0;) {
      const int64_t size = plan.kernel.getTaps()[i];
      taps[i] = at.firstTap[i];
      if (size >= plan.dims[i].maxTapCount || plan.isGrouped(i))
        continue;
      taps[i] = math.add(taps[i], math.mul(math.rem(rest, trips[i]), size));
      rest = math.div(rest, trips[i]);
    }
    Value next =
        buildChunk(at, taps, channel, chunk, loop.getRegionIterArgs().front());
    scf::YieldOp::create(b, next);
    return loop.getResult(0);
  }

  /// Chunks of the taps of a block along dimension i, none if it has no taps.
  Value tapChunks(const BlockPosition &at, size_t i) {
    const int64_t size = plan.kernel.getTaps()[i];
    if (plan.isGrouped(i))
      return math.constant(1);
    Value count =
        math.max(math.sub(at.lastTap[i], at.firstTap[i]), math.constant(0));
    if (size >= plan.dims[i].maxTapCount)
      return math.min(count, math.constant(1));
    return math.div(math.add(count, size - 1), size);
  }

  /// Where a block's channels, `perGroup` a group, begin and end, and how many
  /// there are between such ends.
  std::tuple<Value, Value, int64_t> channelRange(const BlockPosition &at,
                                                 int64_t perGroup) {
    const int64_t span = plan.channelSpan(perGroup);
    Value start = math.mul(at.group, plan.kernel.getGroups() * perGroup);
    Value end = plan.kernel.getGroups() > 1 ? math.constant(span)
                                            : math.add(start, span);
    return {start, end, span};
  }

  Value buildChunk(const BlockPosition &at, ArrayRef<Value> taps, Value channel,
                   Value number, Value acc) {
    const ir::KernelAttr kernel = plan.kernel;
    SmallVector<Value> origin, slot, count;
    SmallVector<int64_t> patchShape{kernel.getInputChannels(),
                                    kernel.getBatch()};
    SmallVector<int64_t> weightShape, steps;
    for (size_t i = 0; i < plan.rank(); ++i) {
      const int64_t chunk = kernel.getTaps()[i];
      const int64_t step = plan.dims[i].inputStep;
      Value first = math.add(at.rows[i].inputBase, at.boxOrigin[i]);
      origin.push_back(
          plan.isGrouped(i)
              ? first
              : math.sub(first, math.mul(math.add(taps[i], chunk - 1), step)));
      slot.push_back(math.add(at.rows[i].slot, taps[i]));
      count.push_back(
          math.min(math.sub(at.lastTap[i], taps[i]), math.constant(chunk)));
      patchShape.push_back(plan.halo[i]);
      weightShape.push_back(chunk);
      steps.push_back(step);
    }
    weightShape.push_back(kernel.getChunkChannels());
    weightShape.push_back(kernel.getChannels());

    const auto [groupStart, groupEnd, groupChannels] =
        channelRange(at, plan.problem.inputChannelsPerGroup());
    const bool simt = kernel.getFamily() == ir::Family::Simt;
    const Type element =
        simt ? b.getF32Type() : plan.op.getInputType().getElementType();
    const bool f32 = plan.problem.type == ElementType::F32;
    const bool round = f32 && plan.problem.precision == ctc::Precision::TF32;
    Value patch = ir::LoadPatchOp::create(
        b, VectorType::get(patchShape, element), input(), at.sample, at.samples,
        math.add(groupStart, channel), groupEnd, origin, groupChannels,
        plan.op.getLayout(), round);
    Value weights = ir::LoadWeightsOp::create(
        b, VectorType::get(weightShape, element), packed(), at.group,
        at.channelTile, channel, slot, count);
    const bool split = f32 && plan.problem.precision == ctc::Precision::TF32x3;
    return ir::ContractOp::create(b, acc.getType(), patch, weights, acc, number,
                                  count, /*skew=*/Value(), plan.halo, steps,
                                  phaseTaps(), split);
  }

  /// What the taps of grouped phases do, or nothing where none are grouped.
  ArrayAttr phaseTaps() {
    if (!plan.isAnyGrouped())
      return {};
    SmallVector<Attribute> dims;
    for (size_t i = 0; i < plan.rank(); ++i) {
      SmallVector<int64_t> pairs;
      if (plan.isGrouped(i))
        for (const GroupedTap &tap :
             groupPhases(plan.problem.dims[i], plan.dims[i]).taps)
          pairs.append({tap.phase, tap.shift});
      dims.push_back(b.getDenseI64ArrayAttr(pairs));
    }
    return b.getArrayAttr(dims);
  }

  void buildStore(const BlockPosition &at, Value acc) {
    const auto [groupStart, groupEnd, groupChannels] =
        channelRange(at, plan.problem.outputChannelsPerGroup());
    SmallVector<Value> origin;
    SmallVector<int64_t> stride;
    for (size_t i = 0; i < plan.rank(); ++i) {
      stride.push_back(plan.problem.dims[i].stride);
      origin.push_back(math.add(at.rows[i].outputBase,
                                math.mul(at.boxOrigin[i], stride[i])));
    }
    Value channel = math.add(
        groupStart, math.mul(at.channelTile, plan.kernel.getChannels()));
    const size_t bias = plan.problem.bias ? 1 : 0;
    const size_t extras = plan.op.getExtras().size();
    auto arguments = function.getArguments();
    auto store = ir::StoreTileOp::create(
        b, acc, arguments[2 + bias + extras], at.sample, at.samples, channel,
        groupEnd, origin, at.extent, bias ? Value(arguments[2]) : Value(),
        ValueRange(arguments.slice(2 + bias, extras)), stride,
        plan.op.getLayout(), groupChannels, plan.op.getExtraMapsAttr(),
        plan.isAnyGrouped() ? plan.kernel.getPhases() : DenseI64ArrayAttr());
    IRMapping mapping;
    plan.op.getEpilogue().cloneInto(&store.getEpilogue(), mapping);
  }

  ImplicitLocOpBuilder &b;
  LayerPlan &plan;
  gpu::GPUFuncOp function;
  IndexMath math;
};

struct Tile : ctc::impl::TileBase<Tile> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<ir::ConvTransposeOp> layers;
    SmallVector<ir::PackWeightsOp> packs;
    module.walk([&](ir::ConvTransposeOp op) { layers.push_back(op); });
    module.walk([&](ir::PackWeightsOp op) { packs.push_back(op); });
    if (layers.empty() && packs.empty())
      return;
    ImplicitLocOpBuilder b(module.getLoc(), &getContext());
    b.setInsertionPointToEnd(module.getBody());
    kernels = gpu::GPUModuleOp::create(b, kKernelModule);
    module->setAttr(gpu::GPUDialect::getContainerModuleAttrName(),
                    b.getUnitAttr());
    for (ir::PackWeightsOp op : packs)
      if (failed(buildPackKernel(op, kernels)))
        return signalPassFailure();
    for (ir::ConvTransposeOp op : layers)
      if (failed(convert(op)))
        return signalPassFailure();
  }

  LogicalResult convert(ir::ConvTransposeOp op) {
    if (!op.getKernelAttr() || !op.getPacked())
      return op.emitOpError("has no kernel and packed weights, run "
                            "ctc-select-kernel and ctc-bufferize first");
    auto entry = op->getParentOfType<func::FuncOp>();
    if (!entry || !llvm::equal(op->getOperands(), entry.getArguments()))
      return op.emitOpError("must take the arguments of a func.func in their "
                            "order: input, packed weights, bias, extra "
                            "operands, output");
    FailureOr<LayerPlan> plan = makePlan(op);
    if (failed(plan))
      return failure();
    if (!plan->isEmpty() && failed(buildKernel(*plan)))
      return failure();
    op.erase();
    return success();
  }

  static FailureOr<LayerPlan> makePlan(ir::ConvTransposeOp op) {
    LayerPlan plan{op, op.getKernelAttr(), op.getProblem(), {}, {}, 0, 0, {},
                   {}};
    auto dims = planPhases(plan.problem);
    if (!dims)
      return op.emitOpError(dims.error().message);
    if (auto fits = checkFits(plan.kernel, plan.problem,
                              targetOf(op->getParentOfType<ModuleOp>()));
        !fits)
      return op.emitOpError(fits.error().message);
    plan.dims = std::move(*dims);
    plan.halo = chunkHalo(plan.kernel, plan.problem, plan.dims);
    plan.dynamicBytes =
        dynamicSharedBytes(plan.kernel, plan.problem, plan.halo);
    for (auto [i, dim] : llvm::enumerate(plan.dims)) {
      plan.boxes.push_back(std::max<int64_t>(
          1, ceilDiv(dim.maxQCount, plan.kernel.getBox()[i])));
      plan.phases.push_back(
          plan.isGrouped(i) ? 1 : std::max<size_t>(1, dim.phases.size()));
    }
    plan.channelTiles = ceilDiv(plan.problem.outputChannelsPerGroup(),
                                plan.kernel.getGroupChannels());
    return plan;
  }

  LogicalResult buildKernel(LayerPlan &plan) {
    ir::ConvTransposeOp op = plan.op;
    std::vector<int64_t> factors{plan.groupTiles(), plan.channelTiles};
    llvm::append_range(factors, plan.boxes);
    llvm::append_range(factors, plan.phases);
    const std::optional<int64_t> perTile = checkedProduct(factors);
    const int64_t batchTile = plan.kernel.getBatch();
    const int64_t batchTiles = plan.problem.hasDynamicBatch()
                                   ? 1
                                   : ceilDiv(plan.problem.batch, batchTile);
    if (!perTile || *perTile > kMaxGridX / std::max<int64_t>(1, batchTiles))
      return op.emitOpError("needs ")
             << (perTile ? std::to_string(*perTile) : "more than 2^63")
             << " blocks for each of " << batchTiles
             << " batch tiles, a grid holds at most " << kMaxGridX
             << "; use a smaller batch or layer, or a kernel with a larger box";

    auto entry = op->getParentOfType<func::FuncOp>();
    ImplicitLocOpBuilder b(op.getLoc(), &getContext());
    gpu::GPUFuncOp function = makeFunction(b, plan, entry);
    b.setInsertionPoint(function);
    SmallVector<memref::GlobalOp> tables;
    for (auto [i, dim] : llvm::enumerate(plan.problem.dims))
      tables.push_back(
          makePhaseTable(b, (entry.getSymName() + "_phases" + Twine(i)).str(),
                         dim, plan.dims[i]));
    b.setInsertionPointToStart(&function.getBody().front());
    KernelBuilder(b, plan, function).build(tables);
    gpu::ReturnOp::create(b);

    b.setInsertionPoint(op);
    ir::LaunchOp::create(b,
                         SymbolRefAttr::get(kernels.getSymNameAttr(),
                                            {FlatSymbolRefAttr::get(function)}),
                         ValueRange(entry.getArguments()), *perTile, batchTile,
                         plan.kernel.getThreads(), plan.dynamicBytes,
                         plan.problem.hasDynamicBatch(),
                         /*programmatic=*/false);
    return success();
  }

  gpu::GPUFuncOp makeFunction(ImplicitLocOpBuilder &b, const LayerPlan &plan,
                              func::FuncOp entry) {
    SmallVector<Type> types;
    for (Type type : entry.getArgumentTypes())
      types.push_back(inGlobalMemory(cast<MemRefType>(type)));
    if (plan.problem.hasDynamicBatch())
      types.push_back(b.getI64Type());
    b.setInsertionPointToEnd(kernels.getBody());
    auto function = gpu::GPUFuncOp::create(b, entry.getSymName(),
                                           b.getFunctionType(types, {}));
    function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(),
                      b.getUnitAttr());
    function.setKnownBlockSizeAttr(
        b.getDenseI32ArrayAttr({int32_t(plan.kernel.getThreads()), 1, 1}));
    function->setAttr(kKernelAttr, plan.kernel);
    function->setAttr(kWindowAttr, b.getDenseI64ArrayAttr(chunkWindow(
                                       plan.kernel, plan.problem, plan.dims)));
    return function;
  }

  gpu::GPUModuleOp kernels;
};
} // namespace
