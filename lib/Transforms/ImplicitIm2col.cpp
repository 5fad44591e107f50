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

namespace {

/// Copies a patch: each thread takes positions of the halo, decodes and bounds
/// each once, and walks the chunk's channels.
class PatchCopy {
public:
  PatchCopy(ImplicitLocOpBuilder &builder, ir::LoadPatchOp op,
            ir::KernelAttr kernel, Value target)
      : b(builder), op(op), kernel(kernel), target(target),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()) {
    const auto input = op.getInput().getType();
    strides = rowMajorStrides(input);
    last = op.getLayout() == ir::Layout::ChannelsLast;
    channelDim = last ? input.getRank() - 1 : 1;
    auto patch = cast<VectorType>(op.getPatch().getType());
    sizes.assign(patch.getShape().begin() + 1, patch.getShape().end());
  }

  void build() {
    Value flat = flatten(b, op.getInput());
    Value base = tileBase();
    computeBounds();
    int64_t row = 1;
    for (int64_t size : sizes)
      row *= size;
    Value thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
    auto loop = scf::ForOp::create(b, thread, local.constant(row),
                                   local.constant(kernel.getThreads()));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    copyPosition(flat, base, loop.getInductionVar());
  }

private:
  /// Input dimension of spatial dimension i.
  int64_t inputDim(size_t i) const { return int64_t(i) + (last ? 1 : 2); }
  int64_t stride(int64_t dim) const { return strides[dim]; }

  /// Element number of the halo's origin, which may lie outside the input.
  Value tileBase() {
    Value base = index.mul(op.getSample(), stride(0));
    base = index.add(base, index.mul(op.getChannel(), stride(channelDim)));
    for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
      base = index.add(base, index.mul(origin, stride(inputDim(i))));
    return base;
  }

  /// Per dimension of the halo, the legal coordinates [low, low + count) as
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
    for (auto [i, origin] : llvm::enumerate(op.getOrigin())) {
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

  void copyPosition(Value flat, Value base, Value number) {
    SmallVector<Value> at = local.delinearize(number, sizes);
    Value legal;
    for (auto [coordinate, bound] : llvm::zip_equal(at, bounds)) {
      if (!bound.first)
        continue;
      Value here =
          local.inRange(local.sub(coordinate, bound.first), bound.second);
      legal = legal ? arith::AndIOp::create(b, legal, here) : here;
    }
    Value element = index.add(base, index.mul(index.cast(at[0]), stride(0)));
    for (size_t i = 1; i < at.size(); ++i)
      element = index.add(
          element, index.mul(index.cast(at[i]), stride(inputDim(i - 1))));
    copyChannels(flat, element, legal, index.cast(number));
  }

  /// Whether a channel of the chunk may lie past the group.
  bool isRagged() {
    return op.getGroupChannels() % kernel.getChunkChannels() != 0;
  }

  void copyChannels(Value flat, Value element, Value legal, Value position) {
    const int64_t chunk = kernel.getChunkChannels();
    const int64_t width =
        last ? accessWidth(flatElement(),
                           {strides[channelDim - 1],
                            int64_t(op.getGroupChannels()), chunk})
             : 1;
    for (int64_t k = 0; k < chunk; k += width) {
      Value here = legal;
      if (isRagged())
        here = arith::AndIOp::create(
            b, legal,
            index.less(index.add(op.getChannel(), k), op.getChannelEnd()));
      // Out of bounds reads element 0 and drops it: no divergence.
      Value source = arith::SelectOp::create(
          b, here, index.add(element, index.constant(k * stride(channelDim))),
          index.constant(0));
      Value value = load(flat, source, width);
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(value.getType()));
      value = arith::SelectOp::create(b, here, value, zero);
      store(value, position, k, width);
    }
  }

  Type flatElement() { return op.getInput().getType().getElementType(); }

  Value load(Value flat, Value element, int64_t width) {
    if (width == 1)
      return memref::LoadOp::create(b, flat, element);
    return loadVector(b, VectorType::get({width}, flatElement()), flat,
                      element);
  }

  void store(Value value, Value position, int64_t channel, int64_t width) {
    value = widen(b, value);
    if (op.getRoundTf32())
      value = roundToTF32(b, value);
    for (int64_t k = 0; k < width; ++k) {
      Value scalar = width == 1
                         ? value
                         : vector::ExtractOp::create(b, value, k).getResult();
      memref::StoreOp::create(
          b, scalar, target, ValueRange{index.constant(channel + k), position});
    }
  }

  ImplicitLocOpBuilder &b;
  ir::LoadPatchOp op;
  ir::KernelAttr kernel;
  Value target;
  IndexMath index, local;
  SmallVector<int64_t> strides;
  SmallVector<int64_t> sizes; ///< Samples, then the halo.
  SmallVector<std::pair<Value, Value>> bounds;
  bool last = false;
  int64_t channelDim = 1;
};

/// Copies packed weights: for each tap a contiguous run of chunk channels times
/// output channels.
class WeightCopy {
public:
  WeightCopy(ImplicitLocOpBuilder &builder, ir::LoadWeightsOp op,
             ir::KernelAttr kernel, Value target)
      : b(builder), op(op), kernel(kernel), target(target),
        index(builder, builder.getIndexType()) {}

  void build() {
    OpBuilder::InsertionGuard guard(b);
    Value flat = flatten(b, op.getPacked());
    Value thread = gpu::ThreadIdOp::create(b, gpu::Dimension::x);
    SmallVector<Value> taps;
    for (Value count : op.getCount()) {
      auto loop =
          scf::ForOp::create(b, index.constant(0), count, index.constant(1));
      b.setInsertionPointToStart(loop.getBody());
      taps.push_back(loop.getInductionVar());
    }
    copyTap(flat, thread, taps);
  }

private:
  void copyTap(Value flat, Value thread, ArrayRef<Value> taps) {
    const auto packed = op.getPacked().getType();
    const auto strides = rowMajorStrides(packed);
    const size_t rank = taps.size();
    Value source = index.add(index.mul(op.getGroup(), strides[0]),
                             index.mul(op.getTile(), strides[1]));
    Value row = index.constant(0);
    for (size_t i = 0; i < rank; ++i) {
      source = index.add(source, index.mul(index.add(op.getSlot()[i], taps[i]),
                                           strides[i + 2]));
      row = index.add(index.mul(row, kernel.getTaps()[i]), taps[i]);
    }
    source = index.add(source, index.mul(op.getChannel(), strides[rank + 2]));

    const int64_t run = kernel.getChunkChannels() * kernel.getChannels();
    const int64_t width = accessWidth(packed.getElementType(), {run});
    auto loop =
        scf::ForOp::create(b, index.mul(thread, width), index.constant(run),
                           index.constant(kernel.getThreads() * width));
    b.setInsertionPointToStart(loop.getBody());
    Value offset = loop.getInductionVar();
    Value value =
        loadVector(b, VectorType::get({width}, packed.getElementType()), flat,
                   index.add(source, offset));
    storeVector(b, widen(b, value), target,
                index.add(index.mul(row, run), offset));
  }

  ImplicitLocOpBuilder &b;
  ir::LoadWeightsOp op;
  ir::KernelAttr kernel;
  Value target;
  IndexMath index;
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
    if (kernel.getFamily() == ir::Family::MmaSync)
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
    Value patchBuffer =
        allocate(function, b, {kernel.getChunkChannels(), shared.patchPitch});
    Value weightBuffer = allocate(function, b, {shared.weightElements});
    PatchCopy(b, patch, kernel, patchBuffer).build();
    b.setInsertionPoint(contract);
    WeightCopy(b, weights, kernel, weightBuffer).build();
    contract.getPatchMutable().assign(patchBuffer);
    contract.getWeightsMutable().assign(weightBuffer);
    patch.erase();
    weights.erase();
    return success();
  }
};
} // namespace
