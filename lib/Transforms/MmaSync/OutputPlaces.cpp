//===- OutputPlaces.cpp - Where positions of a tile go --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OutputPlaces.h"
#include "../FlatAccess.h"
#include "../StoreEpilogue.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace ctc;

OutputPlaces::OutputPlaces(ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                           ir::KernelAttr kernel)
    : b(builder), op(op), kernel(kernel),
      index(builder, builder.getIndexType()),
      local(builder, builder.getI32Type()),
      last(op.getLayout() == ir::Layout::ChannelsLast) {
  const auto output = op.getOutput().getType();
  strides = rowMajorStrides(output);
  channelDim = last ? output.getRank() - 1 : 1;
  box.push_back(kernel.getBatch());
  llvm::append_range(box, kernel.getBox().asArrayRef());
  target = flatten(b, op.getOutput());
  buildBase();
  buildExtents();
  channelsLeft =
      local.cast(index.min(index.sub(op.getChannelEnd(), op.getChannel()),
                           index.constant(kernel.getChannels())));
}

int64_t OutputPlaces::width() {
  return op.getOutput().getType().getDimSize(outputDim(rank() - 1));
}

/// What channels of a group start at multiples of.
int64_t OutputPlaces::channelAlignment() {
  return std::gcd(op.getOutput().getType().getDimSize(channelDim),
                  int64_t(op.getGroupChannels()));
}

void OutputPlaces::buildBase() {
  base = index.add(index.mul(op.getSample(), strides[0]),
                   index.mul(op.getChannel(), strides[channelDim]));
  for (auto [i, origin] : llvm::enumerate(op.getOrigin()))
    base = index.add(base, index.mul(origin, strides[outputDim(i)]));
}

/// Legal coordinates [0, extent) in the box, samples first, as i32; of outputs
/// where phases are grouped.
void OutputPlaces::buildExtents() {
  Value zero = index.constant(0);
  auto clamp = [&](Value value, int64_t size) {
    return local.cast(index.max(index.min(value, index.constant(size)), zero));
  };
  extents.push_back(
      box[0] > 1 ? clamp(index.sub(op.getSamples(), op.getSample()), box[0])
                 : Value());
  for (auto [i, extent] : llvm::enumerate(op.getExtent()))
    extents.push_back(clamp(
        extent, phasesOf(i) > 1 ? box[i + 1] * op.getStride()[i] : box[i + 1]));
}

Value OutputPlaces::both(Value lhs, Value rhs) {
  if (!lhs || !rhs)
    return lhs ? lhs : rhs;
  return b.createOrFold<arith::AndIOp>(lhs, rhs);
}

void OutputPlaces::enterIf(Value condition) {
  if (!condition)
    return;
  auto guard = scf::IfOp::create(b, condition, /*withElseRegion=*/false);
  b.setInsertionPointToStart(guard.thenBlock());
}

Place OutputPlaces::locate(Value number) {
  Place place;
  place.at = local.delinearize(number, box);
  if (kernel.getBoxVolume() < kernel.getPositions())
    place.legal = local.less(number, local.constant(kernel.getBoxVolume()));
  place.element =
      index.add(base, index.mul(index.cast(place.at[0]), strides[0]));
  for (size_t i = 0; i < box.size(); ++i) {
    Value coordinate = place.at[i];
    if (i > 0) {
      const int64_t stride = op.getStride()[i - 1];
      if (phasesOf(i - 1) > 1)
        coordinate = local.mul(coordinate, stride);
      place.element = index.add(place.element,
                                index.mul(index.cast(place.at[i]),
                                          stride * strides[outputDim(i - 1)]));
    }
    if (extents[i])
      place.legal = both(place.legal, local.less(coordinate, extents[i]));
  }
  return place;
}

Value OutputPlaces::phaseLegal(const OutputElement &element) {
  Value legal;
  for (int64_t i = 0; i < rank(); ++i) {
    const int64_t stride = op.getStride()[i];
    const int64_t size = op.getOutput().getType().getDimSize(outputDim(i));
    Value phase = i + 1 == rank() && element.innerPhase
                      ? element.innerPhase
                      : local.constant(element.phases[i]);
    // Of a legal position phase 0 exists, and all do where the output is a
    // multiple of the stride.
    if (getConstantIntValue(phase) == 0 || size % stride == 0)
      continue;
    Value output =
        local.add(local.mul(element.place->at[i + 1], stride), phase);
    legal = both(legal, local.less(output, extents[i + 1]));
  }
  return legal;
}

SmallVector<int64_t> OutputPlaces::phasesAt(int64_t number) const {
  SmallVector<int64_t> phases(rank());
  for (int64_t i = rank(); i-- > 0; number /= phasesOf(i))
    phases[i] = number % phasesOf(i);
  return phases;
}

Value OutputPlaces::channelLegal(Value channel) {
  if (op.getGroupChannels() % kernel.getChannels() == 0)
    return {};
  return local.less(channel, channelsLeft);
}

Value OutputPlaces::loadBias(Value channel) {
  if (!op.getBias())
    return {};
  // Past the last channel the first is read and dropped.
  if (Value legal = channelLegal(channel))
    channel = arith::SelectOp::create(b, legal, channel, local.constant(0));
  return widen(b, memref::LoadOp::create(
                      b, flatten(b, op.getBias()),
                      index.add(op.getChannel(), index.cast(channel))));
}

Value OutputPlaces::elementOf(const OutputElement &element) {
  Value at =
      index.add(element.place->element,
                index.mul(index.cast(element.channel), strides[channelDim]));
  int64_t shift = 0;
  for (int64_t i = 0; i < rank(); ++i)
    if (i + 1 < rank() || !element.innerPhase)
      shift += element.phases[i] * strides[outputDim(i)];
  if (element.innerPhase)
    at = index.add(at, index.mul(index.cast(element.innerPhase),
                                 strides[outputDim(rank() - 1)]));
  return index.add(at, shift);
}

/// Output coordinates in memory order, for extra operands.
SmallVector<Value> OutputPlaces::coordinatesOf(const OutputElement &element) {
  SmallVector<Value> coordinates{
      index.add(op.getSample(), index.cast(element.place->at[0]))};
  for (auto [i, origin] : llvm::enumerate(op.getOrigin())) {
    Value coordinate =
        index.add(origin, index.mul(index.cast(element.place->at[i + 1]),
                                    op.getStride()[i]));
    const bool inner = int64_t(i) + 1 == rank() && element.innerPhase;
    coordinates.push_back(
        inner ? index.add(coordinate, index.cast(element.innerPhase))
              : index.add(coordinate, element.phases[i]));
  }
  coordinates.insert(coordinates.begin() + channelDim,
                     index.add(op.getChannel(), index.cast(element.channel)));
  return coordinates;
}

void OutputPlaces::store(ArrayRef<OutputElement> run) {
  SmallVector<Value> values;
  for (const OutputElement &element : run) {
    Value value = element.sum;
    if (element.bias)
      value = arith::AddFOp::create(b, value, element.bias);
    SmallVector<Value> coordinates;
    if (!op.getExtras().empty())
      coordinates = coordinatesOf(element);
    values.push_back(applyEpilogue(b, op, value, coordinates));
  }
  const Type type = op.getOutput().getType().getElementType();
  auto wide = VectorType::get({int64_t(run.size())}, b.getF32Type());
  Value value = vector::FromElementsOp::create(b, wide, values);
  if (!type.isF32())
    value = arith::TruncFOp::create(b, VectorType::get(wide.getShape(), type),
                                    value);
  storeVector(b, value, target, elementOf(run.front()));
}
