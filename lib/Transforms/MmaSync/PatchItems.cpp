//===- PatchItems.cpp - A patch as vectors that threads copy --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatchItems.h"
#include "../FlatAccess.h"
#include "ctc/Support/IntegerMath.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace ctc;

/// Whether every element of a patch lies within 2^31 of its origin.
static bool fits32(const PatchLayout &layout, ArrayRef<int64_t> strides,
                   int64_t channelDim) {
  __int128 reach =
      __int128(layout.planes * layout.wordElements) * strides[channelDim];
  size_t dim = 0;
  for (int64_t size : layout.window) {
    reach += __int128(size) * strides[dim];
    dim += int64_t(dim) + 1 == channelDim ? 2 : 1;
  }
  return reach < (int64_t{1} << 31);
}

static Type offsetType(ImplicitLocOpBuilder &b, ir::LoadPatchOp op,
                       const PatchLayout &layout) {
  const auto input = op.getInput().getType();
  const int64_t channelDim =
      op.getLayout() == ir::Layout::ChannelsLast ? input.getRank() - 1 : 1;
  return fits32(layout, rowMajorStrides(input), channelDim)
             ? Type(b.getI32Type())
             : Type(b.getIndexType());
}

PatchItems::PatchItems(ImplicitLocOpBuilder &builder, ir::LoadPatchOp op,
                       const PatchLayout &layout, ir::KernelAttr kernel,
                       Value target)
    : b(builder), op(op), shape(layout), kernel(kernel), buffer(target),
      index(builder, builder.getIndexType()),
      local(builder, builder.getI32Type()),
      offsets(builder, offsetType(builder, op, layout)) {
  const auto input = op.getInput().getType();
  strides = rowMajorStrides(input);
  channelDim = shape.planesContiguous ? input.getRank() - 1 : 1;
  flat = flatten(b, op.getInput());
  buildSizes();
  if (!shape.planesContiguous && shape.vector > 1)
    skewed = arith::AndIOp::create(b, op.getOrigin().back(),
                                   index.constant(shape.vector - 1));
  buildBase();
  buildBounds();
}

/// Every coordinate runs over what its stride has room for.
void PatchItems::buildSizes() {
  SmallVector<int64_t> room;
  int64_t above = shape.planesContiguous ? shape.words : shape.planeStride;
  for (int64_t stride : shape.strides) {
    room.push_back(ceilDiv(above, stride));
    above = stride;
  }
  if (shape.planesContiguous) {
    sizes = room;
    sizes.push_back(shape.positionCopies());
  } else {
    sizes.push_back(shape.planes);
    llvm::append_range(sizes, room);
    sizes.back() /= shape.vector;
  }
}

/// Input dimension of window dimension i, samples first.
int64_t PatchItems::inputDim(size_t i) const {
  const auto dim = int64_t(i);
  return dim < channelDim ? dim : dim + 1;
}

/// Element number of the window's first position, which may be outside.
void PatchItems::buildBase() {
  base = index.mul(op.getSample(), strides[0]);
  base = index.add(base, index.mul(op.getChannel(), strides[channelDim]));
  for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
    base = index.add(base, index.mul(origin, strides[inputDim(i + 1)]));
  if (skewed)
    base = index.sub(base, skewed);
}

void PatchItems::buildBounds() {
  const auto input = op.getInput().getType();
  Value zero = index.constant(0);
  // The first sample of a block always exists.
  const int64_t samples = shape.window[0];
  const bool padded = sizes[shape.planesContiguous ? 0 : 1] > samples;
  if (samples > 1 || padded)
    bounds.push_back(
        {local.constant(0),
         local.cast(index.min(index.sub(op.getSamples(), op.getSample()),
                              index.constant(samples)))});
  else
    bounds.push_back({});
  for (auto [i, halo] : llvm::enumerate(op.getOrigin())) {
    Value origin = halo;
    if (skewed && i + 1 == op.getOrigin().size())
      origin = index.sub(origin, skewed);
    Value size = index.constant(shape.window[i + 1]);
    auto clamp = [&](Value value) {
      return index.min(index.max(value, zero), size);
    };
    Value low = clamp(index.sub(zero, origin));
    Value high = clamp(
        index.sub(index.constant(input.getDimSize(inputDim(i + 1))), origin));
    bounds.push_back({local.cast(low), local.cast(index.sub(high, low))});
  }
  const int64_t chunk = shape.planes * shape.wordElements;
  if (op.getGroupChannels() % chunk != 0)
    channelsLeft = local.cast(index.min(
        index.sub(op.getChannelEnd(), op.getChannel()), index.constant(chunk)));
}

int64_t PatchItems::perThread() const {
  return ceilDiv(shape.copies(), kernel.getThreads());
}

Value PatchItems::channelLegal(Value offset) {
  return channelsLeft ? local.less(offset, channelsLeft) : Value();
}

static Value both(ImplicitLocOpBuilder &b, Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return arith::AndIOp::create(b, lhs, rhs);
}

PatchItem PatchItems::decode(Value number) {
  PatchItem item;
  item.number = number;
  if (shape.planesContiguous) {
    item.at = local.delinearize(number, sizes);
  } else {
    // The end of a plane is padding of any size, not a number of samples.
    const int64_t plane = shape.planeStride / shape.vector;
    item.at = local.delinearize(local.rem(number, plane),
                                ArrayRef<int64_t>(sizes).drop_front());
    item.at.insert(item.at.begin(), local.div(number, plane));
  }
  const size_t first = shape.planesContiguous ? 0 : 1;
  for (auto [i, bound] : llvm::enumerate(bounds)) {
    if (!bound.first)
      continue;
    Value at = item.at[first + i];
    if (!shape.planesContiguous && i + 1 == bounds.size())
      at = local.mul(at, shape.vector);
    item.legal = both(b, item.legal,
                      local.inRange(local.sub(at, bound.first), bound.second));
  }
  Value channel = shape.planesContiguous
                      ? local.mul(item.at.back(), shape.vector)
                      : local.mul(item.at.front(), shape.wordElements);
  item.legal = both(b, item.legal, channelLegal(channel));
  // The threads' last turn may reach past the patch, into room of its own.
  if (shape.copies() % kernel.getThreads() != 0)
    item.legal =
        both(b, item.legal, local.less(number, local.constant(shape.copies())));
  return item;
}

void PatchItems::forEachNumber(llvm::function_ref<void(Value)> body) {
  Value thread = local.cast(gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  const int64_t threads = kernel.getThreads();
  if (perThread() <= kMaxUnrolledCopies) {
    for (int64_t turn = 0; turn < perThread(); ++turn)
      body(local.add(thread, turn * threads));
    return;
  }
  auto loop = scf::ForOp::create(b, thread, local.constant(shape.copies()),
                                 local.constant(threads));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void PatchItems::forEach(llvm::function_ref<void(const PatchItem &)> body) {
  forEachNumber([&](Value number) { body(decode(number)); });
}

Value PatchItems::element(const PatchItem &item) {
  const size_t first = shape.planesContiguous ? 0 : 1;
  Value offset = offsets.constant(0);
  for (size_t i = 0; i < shape.window.size(); ++i) {
    const bool vectors =
        !shape.planesContiguous && i + 1 == shape.window.size();
    offset = offsets.add(offset, offsets.mul(offsets.cast(item.at[first + i]),
                                             strides[inputDim(i)] *
                                                 (vectors ? shape.vector : 1)));
  }
  Value channel = shape.planesContiguous
                      ? offsets.mul(offsets.cast(item.at.back()), shape.vector)
                      : offsets.mul(offsets.cast(item.at.front()),
                                    shape.wordElements * strides[channelDim]);
  return index.add(base, index.cast(offsets.add(offset, channel)));
}

Value PatchItems::targetElement(Value number) {
  if (!shape.planesContiguous || shape.pitch() == shape.planes)
    return index.cast(local.mul(number, shape.copyElements()));
  // Past the padding of every position.
  const int64_t copies = shape.positionCopies();
  Value position =
      local.mul(local.div(number, copies), shape.pitch() * shape.wordElements);
  return index.cast(
      local.add(position, local.mul(local.rem(number, copies), shape.vector)));
}

/// The vector of one channel of a [plane][position] word, or of a
/// [position][plane] item.
Value PatchItems::loadChannel(const PatchItem &item, int64_t half) {
  Value legal = item.legal;
  Value from = element(item);
  if (half > 0) {
    legal = both(b, legal,
                 channelLegal(local.add(
                     local.mul(item.at.front(), shape.wordElements), half)));
    from = index.add(from, half * strides[channelDim]);
  }
  // Out of bounds reads element 0 and drops it: no divergence.
  Value safe = arith::SelectOp::create(b, legal, from, index.constant(0));
  auto type = VectorType::get(
      {shape.vector}, cast<MemRefType>(flat.getType()).getElementType());
  Value value = loadVector(b, type, flat, safe);
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return arith::SelectOp::create(b, legal, value, zero);
}

Value PatchItems::load(const PatchItem &item) {
  Value value = loadChannel(item, 0);
  if (shape.planesContiguous || shape.wordElements == 1)
    return value;
  return vector::InterleaveOp::create(b, value, loadChannel(item, 1));
}

void PatchItems::store(Value number, Value value) {
  const auto type = cast<VectorType>(value.getType());
  const int64_t widest = 128 / type.getElementTypeBitWidth();
  const int64_t width = std::min(widest, type.getNumElements());
  Value to = targetElement(number);
  for (int64_t i = 0; i < type.getNumElements(); i += width) {
    Value part = width == type.getNumElements()
                     ? value
                     : vector::ExtractStridedSliceOp::create(
                           b, value, ArrayRef<int64_t>{i},
                           ArrayRef<int64_t>{width}, ArrayRef<int64_t>{1})
                           .getResult();
    storeVector(b, part, buffer, index.add(to, i));
  }
}

void PatchItems::round(Value number) {
  auto type = VectorType::get({shape.vector}, b.getF32Type());
  Value at = targetElement(number);
  storeVector(b, roundToTF32(b, loadVector(b, type, buffer, at)), buffer, at);
}

SmallVector<Value> PatchItems::loadAll() {
  SmallVector<Value> values;
  forEach([&](const PatchItem &item) { values.push_back(load(item)); });
  return values;
}

void PatchItems::storeAll(ValueRange values) {
  auto next = values.begin();
  forEachNumber([&](Value number) { store(number, *next++); });
}
