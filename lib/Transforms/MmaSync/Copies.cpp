//===- Copies.cpp - Patches and weights into workgroup memory -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Threads take vectors of a tile in turn. What lies as it does in memory is
// copied by cp.async, which fills with zero what is out of bounds (PTX ISA
// 9.7.9.25.3.1, src-size); pairs of 16-bit planes go through registers, which
// also serves widths that cp.async does not have.
//
//===----------------------------------------------------------------------===//

#include "../FlatAccess.h"
#include "../IndexMath.h"
#include "MmaSync.h"
#include "PatchItems.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace ctc;

/// Vectors that a thread holds in registers between the steps of a copy; more
/// are copied at once in the second step.
static constexpr int64_t kMaxHeld = 12;

PatchShape ctc::patchShape(ir::LoadPatchOp op) {
  const auto input = op.getInput().getType();
  const auto patch = cast<VectorType>(op.getPatch().getType());
  const bool last = op.getLayout() == ir::Layout::ChannelsLast;
  const int64_t rank = input.getRank();
  PatchShape shape;
  shape.type = ir::elementType(input);
  shape.layout = last ? Layout::ChannelsLast : Layout::ChannelsFirst;
  shape.chunkChannels = patch.getDimSize(0);
  shape.groupChannels = op.getGroupChannels();
  shape.inputChannels = input.getDimSize(last ? rank - 1 : 1);
  shape.inputWidth = input.getDimSize(last ? rank - 2 : rank - 1);
  shape.halo.assign(patch.getShape().begin() + 1, patch.getShape().end());
  return shape;
}

int64_t ctc::bufferBytes(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t elements = 0;
  for (auto [size, stride] : llvm::zip_equal(type.getShape(), strides))
    elements = std::max(elements, size * stride);
  return elements * type.getElementTypeBitWidth() / 8;
}

Value ctc::flattenBuffer(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  const int64_t elements =
      bufferBytes(type) * 8 / type.getElementTypeBitWidth();
  auto flat =
      MemRefType::get({elements}, type.getElementType(),
                      MemRefLayoutAttrInterface(), type.getMemorySpace());
  return memref::ReinterpretCastOp::create(b, flat, buffer, /*offset=*/0,
                                           ArrayRef<int64_t>{elements},
                                           ArrayRef<int64_t>{1});
}

static gpu::AddressSpaceAttr workgroupSpace(ImplicitLocOpBuilder &b) {
  return gpu::AddressSpaceAttr::get(b.getContext(),
                                    gpu::AddressSpace::Workgroup);
}

Value ctc::dynamicShared(ImplicitLocOpBuilder &b) {
  return gpu::DynamicSharedMemoryOp::create(
      b, MemRefType::get({ShapedType::kDynamic}, b.getI8Type(),
                         MemRefLayoutAttrInterface(), workgroupSpace(b)));
}

Value ctc::sharedWords(ImplicitLocOpBuilder &b, int64_t words, Value start) {
  return memref::ViewOp::create(b,
                                MemRefType::get({words}, b.getF32Type(),
                                                MemRefLayoutAttrInterface(),
                                                workgroupSpace(b)),
                                dynamicShared(b), start, ValueRange());
}

static void asyncCopy(ImplicitLocOpBuilder &b, Value source, Value from,
                      Value target, Value to, int64_t elements, Value legal) {
  IndexMath index(b, b.getIndexType());
  Value count = arith::SelectOp::create(b, legal, index.constant(elements),
                                        index.constant(0));
  const auto type = cast<MemRefType>(source.getType());
  const int64_t bits = elements * type.getElementTypeBitWidth();
  // What a block reads once need not stay in the first level; only copies of 16
  // bytes can pass it by.
  nvgpu::DeviceAsyncCopyOp::create(
      b, nvgpu::DeviceAsyncTokenType::get(b.getContext()), target,
      ValueRange{to}, source, ValueRange{from}, b.getIndexAttr(elements), count,
      bits == 128 ? b.getUnitAttr() : UnitAttr());
}

namespace {

/// Copies packed weights: for each tap of the chunk a contiguous run, in the
/// order of fragments.
class WeightCopies {
public:
  WeightCopies(ImplicitLocOpBuilder &builder, ir::LoadWeightsOp op,
               ir::KernelAttr kernel, Value target)
      : b(builder), op(op), kernel(kernel), target(target),
        index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()), packed(op.getPacked().getType()) {
    run = kernel.getChunkChannels() * kernel.getChannels();
    vector = 128 / packed.getElementTypeBitWidth();
  }

  void build() {
    source = flatten(b, op.getPacked());
    base = tileBase();
    sizes.assign(kernel.getTaps().asArrayRef().begin(),
                 kernel.getTaps().asArrayRef().end());
    sizes.push_back(run / vector);
    int64_t items = 1;
    for (int64_t size : sizes)
      items *= size;
    const int64_t threads = kernel.getThreads();
    Value thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
    OpBuilder::InsertionGuard guard(b);
    if (items > kMaxUnrolledCopies * threads) {
      auto loop = scf::ForOp::create(b, thread, local.constant(items),
                                     local.constant(threads));
      b.setInsertionPointToStart(loop.getBody());
      return copy(loop.getInductionVar(), Value());
    }
    for (int64_t first = 0; first < items; first += threads) {
      Value item = local.add(thread, first);
      // The last turn may reach past the weights, into room of its own.
      copy(item, first + threads > items
                     ? local.less(item, local.constant(items))
                     : Value());
    }
  }

private:
  /// Copies one vector, or zeros if there is none.
  void copy(Value item, Value exists) {
    Value from = local.mul(item, vector), legal = exists;
    if (!isWhole()) {
      SmallVector<Value> at = local.delinearize(item, sizes);
      from = local.mul(at.back(), vector);
      for (size_t i = 0; i + 1 < at.size(); ++i) {
        Value here = local.less(at[i], local.cast(op.getCount()[i]));
        legal = legal ? arith::AndIOp::create(b, legal, here) : here;
        from = local.add(from, local.mul(at[i], slotStride(i)));
      }
    }
    if (!legal)
      legal = arith::ConstantOp::create(b, b.getBoolAttr(true));
    asyncCopy(b, source, index.add(base, index.cast(from)), target,
              index.cast(local.mul(item, vector)), vector, legal);
  }

  /// Whether the chunk has all taps of the kernel, which lie in one run.
  bool isWhole() {
    if (kernel.getClip())
      return false; // A clipped range may begin at any tap.
    for (auto [i, count] : llvm::enumerate(kernel.getTaps().asArrayRef()))
      if (count != packed.getDimSize(int64_t(i) + 2))
        return false;
    return true;
  }

  /// Elements from a slot of dimension i to the next, inside a chunk.
  int64_t slotStride(size_t i) {
    int64_t stride = run;
    for (size_t j = i + 1; j < op.getSlot().size(); ++j)
      stride *= packed.getDimSize(int64_t(j) + 2);
    return stride;
  }

  /// Element of the first tap's run: chunks stand outside of slots.
  Value tileBase() {
    const SmallVector<int64_t> strides = rowMajorStrides(packed);
    Value base = index.add(index.mul(op.getGroup(), strides[0]),
                           index.mul(op.getTile(), strides[1]));
    base = index.add(
        base, index.mul(index.div(op.getChannel(), kernel.getChunkChannels()),
                        slotStride(0) * packed.getDimSize(2)));
    if (isWhole())
      return base;
    for (auto [i, slot] : llvm::enumerate(op.getSlot()))
      base = index.add(base, index.mul(slot, slotStride(i)));
    return base;
  }

  ImplicitLocOpBuilder &b;
  ir::LoadWeightsOp op;
  ir::KernelAttr kernel;
  Value target;
  IndexMath index, local;
  MemRefType packed;
  Value source, base;
  SmallVector<int64_t> sizes; ///< Taps per dimension, then vectors of a run.
  int64_t run = 0, vector = 1;
};

/// Builds the ctc.copy_chunk of one contraction.
class ChunkCopy {
public:
  ChunkCopy(ImplicitLocOpBuilder &builder, gpu::GPUFuncOp function,
            ir::ContractOp contract, ir::KernelAttr kernel)
      : b(builder), function(function), contract(contract), kernel(kernel) {}

  LogicalResult build() {
    auto patch = contract.getPatch().getDefiningOp<ir::LoadPatchOp>();
    auto weights = contract.getWeights().getDefiningOp<ir::LoadWeightsOp>();
    if (!patch || !weights)
      return contract.emitOpError(
          "must take the results of ctc.load_patch and ctc.load_weights");
    const PatchLayout layout = layoutPatch(patchShape(patch), kernel);
    const MemRefType patchTile = patchType(patch, layout);
    const MemRefType weightTile = weightType(weights);
    const int64_t threads = kernel.getThreads();
    Value patchBuffer = allocate(patchTile, bytesWithRoom(layout, threads));
    Value weightBuffer = allocate(
        weightTile, bytesWithRoom(bufferBytes(weightTile), threads, 16));
    PatchItems items(b, patch, layout, kernel, patchBuffer);

    auto copy = ir::CopyChunkOp::create(b, layout.async);
    Block *issue = b.createBlock(&copy.getIssue());
    WeightCopies(b, weights, kernel, weightBuffer).build();
    SmallVector<Value> held;
    if (layout.async)
      items.forEach([&](const PatchItem &item) { startCopy(items, item); });
    else if (items.perThread() <= kMaxHeld)
      held = items.loadAll();
    b.setInsertionPointToEnd(issue);
    ir::CopiedOp::create(b, held);

    Block *complete = b.createBlock(&copy.getComplete());
    for (Value value : held)
      complete->addArgument(value.getType(), value.getLoc());
    // Rows of warpgroups are few enough to be rounded in registers, which saves
    // a turn through workgroup memory.
    const bool late = patch.getRoundTf32() && kernel.usesWarpgroups();
    contract.setRoundTf32(late);
    if (layout.async && patch.getRoundTf32() && !late)
      items.forEachNumber([&](Value number) { items.round(number); });
    else if (!layout.async && held.empty())
      items.forEach([&](const PatchItem &item) {
        items.store(item.number, items.load(item));
      });
    else if (!layout.async)
      items.storeAll(complete->getArguments());
    b.setInsertionPointToEnd(complete);
    ir::CopiedOp::create(b, ValueRange());

    b.setInsertionPoint(contract);
    contract.getPatchMutable().assign(viewAs(patchTile, patchBuffer));
    contract.getWeightsMutable().assign(viewAs(weightTile, weightBuffer));
    if (items.skew())
      contract.getSkewMutable().assign(items.skew());
    patch.erase();
    weights.erase();
    return success();
  }

private:
  void startCopy(PatchItems &items, const PatchItem &item) {
    asyncCopy(b, items.source(), items.element(item), items.target(),
              items.targetElement(item.number), items.layout().vector,
              item.legal);
  }

  /// (planes, elements of a word, samples, window), with the layout's strides.
  MemRefType patchType(ir::LoadPatchOp op, const PatchLayout &layout) {
    const int64_t word = layout.wordElements;
    SmallVector<int64_t> shape{layout.planes, word};
    SmallVector<int64_t> strides{layout.planeStride * word, 1};
    for (auto [size, stride] : llvm::zip_equal(layout.window, layout.strides)) {
      shape.push_back(size);
      strides.push_back(stride * word);
    }
    return MemRefType::get(
        shape, op.getInput().getType().getElementType(),
        StridedLayoutAttr::get(b.getContext(), /*offset=*/0, strides),
        workgroupSpace(b));
  }

  MemRefType weightType(ir::LoadWeightsOp op) {
    auto tile = cast<VectorType>(op.getWeights().getType());
    return MemRefType::get(tile.getShape(),
                           op.getPacked().getType().getElementType(),
                           MemRefLayoutAttrInterface(), workgroupSpace(b));
  }

  /// A flat buffer for a tile. Buffers stand at the top of the kernel until
  /// ctc-pipeline places them.
  Value allocate(MemRefType tile, int64_t bytes) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.getBody().front());
    return memref::AllocOp::create(
        b, MemRefType::get({bytes * 8 / tile.getElementTypeBitWidth()},
                           tile.getElementType(), MemRefLayoutAttrInterface(),
                           tile.getMemorySpace()));
  }

  Value viewAs(MemRefType tile, Value buffer) {
    auto [strides, offset] = tile.getStridesAndOffset();
    return memref::ReinterpretCastOp::create(b, tile, buffer, /*offset=*/0,
                                             tile.getShape(), strides);
  }

  ImplicitLocOpBuilder &b;
  gpu::GPUFuncOp function;
  ir::ContractOp contract;
  ir::KernelAttr kernel;
};

} // namespace

LogicalResult ctc::copyTilesForMma(gpu::GPUFuncOp function,
                                   ir::KernelAttr kernel) {
  SmallVector<ir::ContractOp> contracts;
  function.walk([&](ir::ContractOp op) { contracts.push_back(op); });
  for (ir::ContractOp contract : contracts) {
    ImplicitLocOpBuilder b(contract.getLoc(), contract);
    if (failed(ChunkCopy(b, function, contract, kernel).build()))
      return failure();
  }
  return success();
}
