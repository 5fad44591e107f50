//===- PatchFragments.cpp - Fragments of a patch --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatchFragments.h"
#include "../FlatAccess.h"
#include "ctc/Dialect/EpilogueOps.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace ctc;

SmallVector<Register> WordLoads::load(Value buffer, Value word, int64_t count) {
  const int64_t perWord = 32 / element.getIntOrFloatBitWidth();
  IndexMath index(b, b.getIndexType());
  Value value = loadVector(b, VectorType::get({count * perWord}, element),
                           buffer, index.mul(word, perWord));
  SmallVector<Register> words;
  for (int64_t i = 0; i < count; ++i)
    words.push_back(toRegister(vector::ExtractStridedSliceOp::create(
        b, value, ArrayRef<int64_t>{i * perWord}, ArrayRef<int64_t>{perWord},
        ArrayRef<int64_t>{1})));
  return words;
}

Register WordLoads::toRegister(Value word) {
  if (element.isF16())
    return {word, Value()};
  if (split) {
    Value whole = vector::ExtractOp::create(b, word, 0);
    Value high = roundToTF32(b, whole);
    Value low = roundToTF32(b, arith::SubFOp::create(b, whole, high));
    return {arith::BitcastOp::create(b, b.getI32Type(), high),
            arith::BitcastOp::create(b, b.getI32Type(), low)};
  }
  if (round)
    word = roundToTF32(b, word);
  Value bits =
      vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), word);
  return {vector::ExtractOp::create(b, bits, 0), Value()};
}

PatchFragments::PatchFragments(ImplicitLocOpBuilder &builder, ir::ContractOp op,
                               const WarpTile &tile, Value patch)
    : b(builder), tile(tile), index(builder, builder.getIndexType()),
      local(builder, builder.getI32Type()), patch(flattenBuffer(b, patch)),
      words(builder, cast<MemRefType>(patch.getType()).getElementType(),
            op.getSplitTf32(), op.getRoundTf32()) {
  readLayout(cast<MemRefType>(patch.getType()));
  locateLane(op.getSkew());
}

void PatchFragments::readLayout(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  patchLayout.planes = type.getDimSize(0);
  patchLayout.wordElements = type.getDimSize(1);
  patchLayout.planeStride = strides[0] / patchLayout.wordElements;
  for (int64_t i = 2; i < type.getRank(); ++i) {
    patchLayout.window.push_back(type.getDimSize(i));
    patchLayout.strides.push_back(strides[i] / patchLayout.wordElements);
  }
  patchLayout.split = tile.kernel.getSplit();
  // A position holds all planes, at least eight, or lies next to others.
  patchLayout.planesContiguous = patchLayout.strides.back() != 1;
  patchLayout.lanePlanes = lanePlanes(tile.kernel, patchLayout.planesContiguous,
                                      ir::elementType(type.getElementType()));
}

/// Words of the lane's first plane at each of its positions.
void PatchFragments::locateLane(Value skew) {
  const PatchLayout &layout = patchLayout;
  IndexMath &m = local;
  Value plane = m.mul(tile.t, layout.planesContiguous ? layout.laneRun()
                                                      : layout.planeStride);
  if (tile.share)
    plane = m.add(plane,
                  m.mul(tile.share, layout.sharePlanes() * layout.planeStride));
  if (skew)
    plane = m.add(plane, m.mul(m.cast(skew), layout.strides.back()));
  const std::vector<int64_t> known = positionWords(layout, tile.kernel);
  Value base = m.add(plane, positionWord(tile.positionIn(m, 0)));
  Value origin = index.cast(base);
  for (int64_t o = 0; o < tile.positions() / kOctet; ++o)
    if (const std::optional<int64_t> fixed = fixedDistance(known, o))
      octets.push_back({origin, *fixed});
    else
      octets.push_back(
          {index.cast(m.add(plane, positionWord(tile.positionIn(m, o)))), 0});
}

/// Words from octet 0 to octet `o` of a warp, if that is the same for every
/// warp and lane.
std::optional<int64_t> PatchFragments::fixedDistance(ArrayRef<int64_t> known,
                                                     int64_t o) const {
  std::optional<int64_t> distance;
  for (int64_t warp = 0; warp < int64_t(known.size()); warp += tile.positions())
    for (int64_t g = 0; g < kOctet; ++g) {
      const int64_t here = known[warp + o * kOctet + g] - known[warp + g];
      if (distance.value_or(here) != here)
        return std::nullopt;
      distance = here;
    }
  return distance;
}

/// Words from the window's start to a position of the box.
Value PatchFragments::positionWord(Value number) {
  SmallVector<int64_t> box{tile.kernel.getBatch()};
  llvm::append_range(box, tile.kernel.getBox().asArrayRef());
  const int64_t volume = tile.kernel.getBoxVolume();
  // Idle positions compute position 0 once more and are not stored.
  if (volume < tile.kernel.getPositions())
    number =
        arith::SelectOp::create(b, local.less(number, local.constant(volume)),
                                number, local.constant(0));
  Value word = local.constant(0);
  for (auto [coordinate, stride] :
       llvm::zip_equal(local.delinearize(number, box), patchLayout.strides))
    word = local.add(word, local.mul(coordinate, stride));
  return word;
}

/// The registers of one octet for the steps of a load, `at` words from the
/// window's start.
SmallVector<Octet> PatchFragments::loadOctet(Value at, int64_t step) {
  if (!patchLayout.planesContiguous) {
    Octet octet;
    for (int64_t h = 0; h < 2; ++h) {
      const int64_t plane = kMmaPlanes * step + 4 * h;
      octet[h] = words.load(
          patch, index.add(at, plane * patchLayout.planeStride), 1)[0];
    }
    return {octet};
  }
  auto loaded =
      words.load(patch, index.add(at, patchLayout.lanePlane(2 * step)),
                 patchLayout.loadWords());
  SmallVector<Octet> steps;
  for (int64_t i = 0; i < stepsPerLoad(); ++i)
    steps.push_back({loaded[2 * i], loaded[2 * i + 1]});
  return steps;
}

/// [octet][step] as [step][octet].
static SmallVector<SmallVector<Octet>>
transpose(ArrayRef<SmallVector<Octet>> octets) {
  SmallVector<SmallVector<Octet>> steps(octets.front().size());
  for (const SmallVector<Octet> &octet : octets)
    for (auto [i, registers] : llvm::enumerate(octet))
      steps[i].push_back(registers);
  return steps;
}

Value PatchFragments::wordOf(const OctetPlace &octet, const Shift &shift) {
  return index.add(index.add(octet.first, shift.looped),
                   octet.second + shift.known);
}

SmallVector<SmallVector<Octet>> PatchFragments::load(const Shift &shift,
                                                     int64_t step) {
  SmallVector<SmallVector<Octet>> loaded;
  for (const auto &octet : octets)
    loaded.push_back(loadOctet(wordOf(octet, shift), step));
  return transpose(loaded);
}

SmallVector<SmallVector<Octet>> PatchFragments::loadOnce(const Shift &shift,
                                                         int64_t step) {
  SmallVector<SmallVector<Octet>> loaded;
  for (const auto &at : octets) {
    const std::tuple key{
        static_cast<const void *>(at.first.getAsOpaquePointer()),
        static_cast<const void *>(shift.looped.getAsOpaquePointer()),
        at.second + shift.known, step};
    auto known = recent.find(key);
    SmallVector<Octet> octet = known != recent.end()
                                   ? known->second
                                   : loadOctet(wordOf(at, shift), step);
    current[key] = octet;
    loaded.push_back(std::move(octet));
  }
  return transpose(loaded);
}

void PatchFragments::nextShift() {
  recent = std::move(current);
  current.clear();
}

void PatchFragments::forget() {
  recent.clear();
  current.clear();
}
