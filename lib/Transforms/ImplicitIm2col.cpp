//===- ImplicitIm2col.cpp - Patch gathers as explicit copies --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlatAccess.h"
#include "IndexMath.h"
#include "Kernels.h"
#include "MmaSync/MmaSync.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace ctc {
#define GEN_PASS_DEF_IMPLICITIM2COL
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

/// Elements of one vector access: the widest of at most 16 bytes that divides
/// every size on the way.
static int64_t accessWidth(Type element, ArrayRef<int64_t> sizes) {
  for (int64_t width = 128 / element.getIntOrFloatBitWidth(); width > 1;
       width /= 2)
    if (llvm::all_of(sizes, [&](int64_t size) { return size % width == 0; }))
      return width;
  return 1;
}

/// Vectors that a thread has under way at a time: what it takes to hide the
/// latency of memory in few registers.
static constexpr int64_t kVectorsInFlight = 8;

/// Both of two conditions, either of which may be nothing.
static Value both(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return b.createOrFold<arith::AndIOp>(lhs, rhs);
}

/// A vector, or scalar, of a buffer; zero where `legal` does not hold. Out of
/// bounds reads element 0 and drops it: no divergence.
static Value loadLegal(ImplicitLocOpBuilder &b, Value flat, Value element,
                       Value legal, int64_t width) {
  IndexMath index(b, b.getIndexType());
  const Type type = cast<MemRefType>(flat.getType()).getElementType();
  if (legal)
    element = arith::SelectOp::create(b, legal, element, index.constant(0));
  Value value =
      width == 1 ? memref::LoadOp::create(b, flat, element).getResult()
                 : loadVector(b, VectorType::get({width}, type), flat, element);
  if (!legal)
    return value;
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
  return arith::SelectOp::create(b, legal, value, zero);
}

/// A vector of neighbours, or a scalar, stored at most 16 bytes at a time.
static void storeRun(ImplicitLocOpBuilder &b, Value value, Value target,
                     Value place) {
  auto type = dyn_cast<VectorType>(value.getType());
  if (!type) {
    memref::StoreOp::create(b, value, target, place);
    return;
  }
  if (type.getNumElements() <= 4)
    return storeVector(b, value, target, place);
  IndexMath index(b, b.getIndexType());
  for (int64_t i = 0; i < type.getNumElements(); i += 4)
    storeVector(b,
                vector::ExtractStridedSliceOp::create(
                    b, value, ArrayRef<int64_t>{i}, ArrayRef<int64_t>{4},
                    ArrayRef<int64_t>{1}),
                target, index.add(place, i));
}

/// i32 where offsets stay below 2^31, index above.
static Type offsetType(ImplicitLocOpBuilder &b, __int128 reach) {
  return reach < (int64_t{1} << 31) ? Type(b.getI32Type())
                                    : Type(b.getIndexType());
}

namespace {

/// A number that threads of the block share out, `turns` at a time: `issue` is
/// called for all of them before `complete` is.
class SharedWork {
public:
  SharedWork(ImplicitLocOpBuilder &builder, int64_t count, int64_t threads,
             int64_t turns)
      : b(builder), local(builder, builder.getI32Type()), count(count),
        threads(threads), turns(std::min(turns, ceilDiv(count, threads))) {}

  void build(
      llvm::function_ref<SmallVector<Value>(Value number, Value exists)> issue,
      llvm::function_ref<void(Value number, ValueRange values)> complete) {
    Value thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
    const int64_t step = turns * threads;
    if (step >= count)
      return buildTurns(thread, issue, complete);
    auto loop = scf::ForOp::create(b, thread, local.constant(count),
                                   local.constant(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    buildTurns(loop.getInductionVar(), issue, complete);
  }

private:
  void buildTurns(Value first,
                  llvm::function_ref<SmallVector<Value>(Value, Value)> issue,
                  llvm::function_ref<void(Value, ValueRange)> complete) {
    const bool looped = turns * threads < count;
    SmallVector<Value> numbers, exist;
    SmallVector<SmallVector<Value>> values;
    for (int64_t turn = 0; turn < turns; ++turn) {
      numbers.push_back(local.add(first, turn * threads));
      const bool always = looped ? turn == 0 : (turn + 1) * threads <= count;
      exist.push_back(
          always ? Value() : local.less(numbers.back(), local.constant(count)));
      values.push_back(issue(numbers.back(), exist.back()));
    }
    for (int64_t turn = 0; turn < turns; ++turn) {
      OpBuilder::InsertionGuard guard(b);
      if (exist[turn])
        b.setInsertionPointToStart(
            scf::IfOp::create(b, exist[turn], /*withElseRegion=*/false)
                .thenBlock());
      complete(numbers[turn], values[turn]);
    }
  }

  ImplicitLocOpBuilder &b;
  IndexMath local;
  int64_t count, threads, turns;
};

/// Copies a patch: each thread takes vectors of the window, or single positions
/// where rows of the input are no vectors, decodes and bounds each once, and
/// walks the chunk's channels. Where a block takes several groups the channels
/// of a position are many and neighbours in the patch, too: threads run along
/// them.
class PatchCopy {
public:
  PatchCopy(ImplicitLocOpBuilder &builder, ir::LoadPatchOp op,
            ir::KernelAttr kernel, const SharedLayout &shared, Value target)
      : b(builder), op(op), kernel(kernel), shared(shared), target(target),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()),
        strides(rowMajorStrides(op.getInput().getType())) {
    const auto input = op.getInput().getType();
    last = op.getLayout() == ir::Layout::ChannelsLast;
    channelDim = last ? input.getRank() - 1 : 1;
    auto patch = cast<VectorType>(op.getPatch().getType());
    sizes.assign(patch.getShape().begin() + 1, patch.getShape().end());
    sizes.back() = shared.window.back();
    vector = patchVector(kernel, ir::elementType(input),
                         last ? Layout::ChannelsLast : Layout::ChannelsFirst,
                         input.getDimSize(inputDim(sizes.size() - 2)));
  }

  /// Returns by how many positions the window begins before the halo; nothing
  /// where it never does.
  Value build() {
    if (vector > 1)
      skew = arith::AndIOp::create(b, op.getOrigin().back(),
                                   index.constant(vector - 1));
    __int128 reach = 0;
    for (size_t i = 0; i < sizes.size(); ++i)
      reach += __int128(sizes[i]) * strides[i == 0 ? 0 : inputDim(i - 1)];
    IndexMath offsets(b, offsetType(b, reach));
    Value flat = flatten(b, op.getInput());
    Value base = tileBase();
    computeBounds();
    if (kernel.getGroups() > 1)
      copyChannels(offsets, flat, base);
    else
      copyPositions(offsets, flat, base);
    return skew;
  }

private:
  /// Items are vectors of positions, or positions, with all their channels.
  void copyPositions(IndexMath &offsets, Value flat, Value base) {
    SmallVector<int64_t> items(sizes);
    items.back() /= vector;
    const int64_t chunk = kernel.getChunkChannels();
    const int64_t width = channelWidth();
    SharedWork(b, product(items), kernel.getThreads(),
               std::max<int64_t>(1, kVectorsInFlight * width / chunk))
        .build(
            [&](Value number, Value exists) {
              return issue(offsets, flat, base,
                           local.delinearize(number, items), exists, width);
            },
            [&](Value number, ValueRange values) {
              complete(number, values, width);
            });
  }

  /// Items are vectors of channels. The patch has them in the same order.
  void copyChannels(IndexMath &offsets, Value flat, Value base) {
    const int64_t width = channelWidth();
    SmallVector<int64_t> items(sizes);
    items.push_back(kernel.getInputChannels() / width);
    Value left;
    if (isRagged())
      left =
          local.cast(index.min(index.sub(op.getChannelEnd(), op.getChannel()),
                               index.constant(kernel.getInputChannels())));
    SharedWork(b, product(items), kernel.getThreads(), kVectorsInFlight)
        .build(
            [&](Value number, Value exists) -> SmallVector<Value> {
              SmallVector<Value> at = local.delinearize(number, items);
              Value channel = local.mul(at.pop_back_val(), width);
              auto [legal, offset] = locate(offsets, at, exists);
              if (left)
                legal = both(b, legal, local.less(channel, left));
              Value element = index.add(
                  base, index.cast(offsets.add(offset, offsets.cast(channel))));
              return {loadLegal(b, flat, element, legal, width)};
            },
            [&](Value number, ValueRange values) {
              Value value = widen(b, values.front());
              if (op.getRoundTf32())
                value = roundToTF32(b, value);
              storeRun(b, value, target, index.cast(local.mul(number, width)));
            });
  }

  static int64_t product(ArrayRef<int64_t> sizes) {
    int64_t count = 1;
    for (int64_t size : sizes)
      count *= size;
    return count;
  }

  /// Input dimension of spatial dimension i.
  int64_t inputDim(size_t i) const { return int64_t(i) + (last ? 1 : 2); }
  int64_t stride(int64_t dim) const { return strides[dim]; }

  /// Element number of the window's origin, which may lie outside the input.
  Value tileBase() {
    Value base = index.mul(op.getSample(), stride(0));
    base = index.add(base, index.mul(op.getChannel(), stride(channelDim)));
    for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
      base = index.add(base, index.mul(origin, stride(inputDim(i))));
    return skew ? index.sub(base, skew) : base;
  }

  /// Per dimension of the window, the legal coordinates [low, low + count) as
  /// block-uniform 32-bit values; nothing where all are legal.
  void computeBounds() {
    const auto input = op.getInput().getType();
    Value zero = index.constant(0);
    // The first sample of a block always exists.
    if (sizes[0] > 1)
      bounds.push_back(
          {local.constant(0),
           local.cast(index.min(index.sub(op.getSamples(), op.getSample()),
                                index.constant(sizes[0])))});
    else
      bounds.push_back({});
    for (auto [i, halo] : llvm::enumerate(op.getOrigin())) {
      Value origin = halo;
      if (skew && i + 1 == op.getOrigin().size())
        origin = index.sub(origin, skew);
      Value size = index.constant(sizes[i + 1]);
      auto clamp = [&](Value value) {
        return index.min(index.max(value, zero), size);
      };
      Value low = clamp(index.sub(zero, origin));
      Value high = clamp(
          index.sub(index.constant(input.getDimSize(inputDim(i))), origin));
      bounds.push_back({local.cast(low), local.cast(index.sub(high, low))});
    }
  }

  /// Whether a channel of the chunk may lie past the group.
  bool isRagged() {
    return op.getGroupChannels() % kernel.getInputChannels() != 0;
  }

  Type flatElement() { return op.getInput().getType().getElementType(); }

  /// Channels of one access.
  int64_t channelWidth() {
    return last ? accessWidth(flatElement(), {strides[channelDim - 1],
                                              int64_t(op.getGroupChannels()),
                                              kernel.getInputChannels()})
                : 1;
  }

  /// Whether a position of the window exists, and its offset from the origin.
  std::pair<Value, Value> locate(IndexMath &offsets, ArrayRef<Value> at,
                                 Value exists) {
    Value legal = exists;
    Value offset = offsets.constant(0);
    for (auto [i, bound] : llvm::enumerate(bounds)) {
      if (bound.first)
        legal =
            both(b, legal,
                 local.inRange(local.sub(at[i], bound.first), bound.second));
      offset = offsets.add(offset,
                           offsets.mul(offsets.cast(at[i]),
                                       stride(i == 0 ? 0 : inputDim(i - 1))));
    }
    return {legal, offset};
  }

  SmallVector<Value> issue(IndexMath &offsets, Value flat, Value base,
                           SmallVector<Value> at, Value exists, int64_t width) {
    at.back() = local.mul(at.back(), vector);
    auto [legal, offset] = locate(offsets, at, exists);
    Value element = index.add(base, index.cast(offset));
    SmallVector<Value> values;
    for (int64_t k = 0; k < kernel.getChunkChannels(); k += width) {
      Value here = legal;
      if (isRagged())
        here =
            both(b, legal,
                 index.less(index.add(op.getChannel(), k), op.getChannelEnd()));
      values.push_back(loadLegal(b, flat,
                                 index.add(element, k * stride(channelDim)),
                                 here, width * vector));
    }
    return values;
  }

  void complete(Value number, ValueRange values, int64_t width) {
    Value position = index.cast(local.mul(number, vector));
    for (auto [i, loaded] : llvm::enumerate(values)) {
      Value value = widen(b, loaded);
      if (op.getRoundTf32())
        value = roundToTF32(b, value);
      Value place = index.add(position, int64_t(i) * width * shared.patchPitch);
      if (vector > 1)
        storeRun(b, value, target, place);
      else
        storeChannels(value, place, width);
    }
  }

  void storeChannels(Value value, Value place, int64_t width) {
    for (int64_t k = 0; k < width; ++k) {
      Value scalar = width == 1
                         ? value
                         : vector::ExtractOp::create(b, value, k).getResult();
      memref::StoreOp::create(b, scalar, target,
                              index.add(place, k * shared.patchPitch));
    }
  }

  ImplicitLocOpBuilder &b;
  ir::LoadPatchOp op;
  ir::KernelAttr kernel;
  const SharedLayout &shared;
  Value target, skew;
  IndexMath index, local;
  SmallVector<int64_t> strides;
  SmallVector<int64_t> sizes; ///< Samples, then the window.
  SmallVector<std::pair<Value, Value>> bounds;
  bool last = false;
  int64_t channelDim = 1, vector = 1;
};

/// Copies packed weights: for each tap a contiguous run of chunk channels times
/// output channels.
class WeightCopy {
public:
  WeightCopy(ImplicitLocOpBuilder &builder, ir::LoadWeightsOp op,
             ir::KernelAttr kernel, int64_t pitch, Value target)
      : b(builder), op(op), kernel(kernel), pitch(pitch), target(target),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()),
        offsets(builder,
                offsetType(builder,
                           rowMajorStrides(op.getPacked().getType())[1])) {}

  void build() {
    const auto packed = op.getPacked().getType();
    Value flat = flatten(b, op.getPacked());
    Value base = tileBase();
    const int64_t run = kernel.getChunkChannels() * kernel.getChannels();
    const int64_t width = pitch == kernel.getChannels()
                              ? accessWidth(packed.getElementType(), {run})
                              : 1;
    SmallVector<int64_t> items(kernel.getTaps().asArrayRef());
    items.push_back(run / width);
    int64_t count = 1;
    for (int64_t size : items)
      count *= size;
    SharedWork(b, count, kernel.getThreads(), kVectorsInFlight / 2)
        .build(
            [&](Value number, Value exists) -> SmallVector<Value> {
              SmallVector<Value> at = local.delinearize(number, items);
              return {loadLegal(b, flat, element(base, at, width),
                                both(b, legal(at), exists), width)};
            },
            [&](Value number, ValueRange values) {
              storeRun(b, widen(b, values.front()), target,
                       index.cast(targetOf(number, width)));
            });
  }

private:
  /// Element of the first tap's weights.
  Value tileBase() {
    const auto strides = rowMajorStrides(op.getPacked().getType());
    Value base = index.add(index.mul(op.getGroup(), strides[0]),
                           index.mul(op.getTile(), strides[1]));
    for (auto [i, slot] : llvm::enumerate(op.getSlot()))
      base = index.add(base, index.mul(slot, strides[i + 2]));
    return index.add(
        base, index.mul(op.getChannel(), strides[op.getSlot().size() + 2]));
  }

  /// Where an item goes: rows of channels stand `pitch` apart.
  Value targetOf(Value number, int64_t width) {
    const int64_t channels = kernel.getChannels();
    if (pitch == channels)
      return local.mul(number, width);
    return local.add(local.mul(local.div(number, channels), pitch),
                     local.rem(number, channels));
  }

  Value element(Value base, ArrayRef<Value> at, int64_t width) {
    const auto strides = rowMajorStrides(op.getPacked().getType());
    Value offset = offsets.mul(offsets.cast(at.back()), width);
    for (size_t i = 0; i + 1 < at.size(); ++i)
      offset =
          offsets.add(offset, offsets.mul(offsets.cast(at[i]), strides[i + 2]));
    return index.add(base, index.cast(offset));
  }

  /// Whether the taps are among those to load; nothing where all are.
  Value legal(ArrayRef<Value> at) {
    Value legal;
    for (auto [i, count] : llvm::enumerate(op.getCount()))
      if (getConstantIntValue(count) != kernel.getTaps()[int64_t(i)])
        legal = both(b, legal, local.less(at[i], local.cast(count)));
    return legal;
  }

  ImplicitLocOpBuilder &b;
  ir::LoadWeightsOp op;
  ir::KernelAttr kernel;
  int64_t pitch;
  Value target;
  IndexMath index, local, offsets;
};

struct ImplicitIm2col : ctc::impl::ImplicitIm2colBase<ImplicitIm2col> {
  void runOnOperation() override {
    if (failed(convertKernels(getOperation(), [&](auto &&...kernel) {
          return convert(kernel...);
        })))
      signalPassFailure();
  }

  LogicalResult convert(gpu::GPUFuncOp function, ir::KernelAttr kernel,
                        const SharedLayout &shared) {
    if (kernel.usesMatrixUnits())
      return copyTilesForMma(function, kernel);
    SmallVector<ir::ContractOp> contracts;
    function.walk([&](ir::ContractOp op) { contracts.push_back(op); });
    for (ir::ContractOp contract : contracts)
      if (failed(convert(function, contract, kernel, shared)))
        return failure();
    return success();
  }

  /// Buffers are allocated at the top of the kernel; ctc-pipeline decides where
  /// they lie and how many there are.
  Value allocate(gpu::GPUFuncOp function, ImplicitLocOpBuilder &b,
                 ArrayRef<int64_t> shape) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getBody().front());
    auto space =
        gpu::AddressSpaceAttr::get(&getContext(), gpu::AddressSpace::Workgroup);
    return memref::AllocOp::create(
        b, MemRefType::get(shape, b.getF32Type(), MemRefLayoutAttrInterface(),
                           space));
  }

  LogicalResult convert(gpu::GPUFuncOp function, ir::ContractOp contract,
                        ir::KernelAttr kernel, const SharedLayout &shared) {
    auto patch = contract.getPatch().getDefiningOp<ir::LoadPatchOp>();
    auto weights = contract.getWeights().getDefiningOp<ir::LoadWeightsOp>();
    if (!patch || !weights)
      return contract.emitOpError(
          "must take the results of ctc.load_patch and ctc.load_weights");
    ImplicitLocOpBuilder b(contract.getLoc(), contract);
    Value patchBuffer = allocate(function, b, {shared.patchElements});
    Value weightBuffer = allocate(function, b, {shared.weightElements});
    if (Value skew = PatchCopy(b, patch, kernel, shared, patchBuffer).build())
      contract.getSkewMutable().assign(skew);
    b.setInsertionPoint(contract);
    WeightCopy(b, weights, kernel, shared.weightPitch, weightBuffer).build();
    contract.getPatchMutable().assign(patchBuffer);
    contract.getWeightsMutable().assign(weightBuffer);
    patch.erase();
    weights.erase();
    return success();
  }
};
} // namespace
