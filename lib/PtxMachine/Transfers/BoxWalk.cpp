//===- BoxWalk.cpp - The bytes that a tensor copy moves -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/BoxWalk.h"

#include "ctc/Support/IntegerMath.h"

#include <algorithm>

namespace ctc::ptx {

/// Rows along a dimension; a box has one slice of channels.
static uint32_t stepsOf(const TensorMapFields &map, unsigned dim) {
  if (map.interleaved() && dim + 2 == map.rank)
    return 1;
  return static_cast<uint32_t>(ceilDiv(map.box[dim], map.steps[dim]));
}

/// Bytes from one index to the next of a dimension that rows lie along.
static uint64_t strideOf(const TensorMapFields &map, unsigned dim) {
  return dim == 0 ? map.sliceBytes() : map.strides[dim - 1];
}

uint64_t BoxWalk::rows(const TensorMapFields &map) {
  if (map.mode == TensorMode::Im2col)
    return map.pixels;
  uint64_t count = 1;
  for (unsigned i = map.firstRowDim(); i < map.rank; ++i)
    count *= stepsOf(map, i);
  return count;
}

uint32_t BoxWalk::rowBytes(const TensorMapFields &map) {
  if (map.interleaved())
    return map.sliceBytes();
  return (map.mode == TensorMode::Im2col ? map.channels : map.box[0]) *
         map.elementBytes();
}

uint32_t BoxWalk::rowPitch(const TensorMapFields &map) {
  const Swizzle swizzle = map.sharedSwizzle();
  return swizzle == Swizzle::None || map.interleaved()
             ? rowBytes(map)
             : swizzleRowBytes(swizzle);
}

std::string BoxWalk::problem(const TensorMapFields &map,
                             const BoxPlace &place) {
  const int64_t bytes = int64_t(place.coordinates[0]) * map.elementBytes();
  if (bytes % 16 && !map.interleaved())
    return "coordinate " + std::to_string(place.coordinates[0]) +
           " of dimension 0 is at byte " + std::to_string(bytes) +
           "; it must be a multiple of 16";
  if (map.mode != TensorMode::Im2col)
    return {};
  const unsigned pixelRank = map.rank - 2u;
  const unsigned most = (1u << (pixelRank == 1   ? 16
                                : pixelRank == 2 ? 8
                                                 : 5)) -
                        1;
  for (unsigned i = 0; i < pixelRank; ++i) {
    const unsigned dim = map.firstRowDim() + i;
    const int64_t low = map.lower[i], high = map.upperEnd(dim);
    const int32_t base = place.coordinates[dim];
    if (base < low || base > high)
      return "coordinate " + std::to_string(base) + " of dimension " +
             std::to_string(dim) + " is outside of the pixel box; legal are " +
             std::to_string(low) + " to " + std::to_string(high);
    if (place.offsets[i] > most)
      return "im2col offset " + std::to_string(place.offsets[i]) +
             "; legal for rank " + std::to_string(map.rank) + " are 0 to " +
             std::to_string(most);
  }
  return {};
}

BoxWalk::BoxWalk(const TensorMapFields &map, const BoxPlace &place)
    : map(map), place(place), rowCount(rows(map)), length(rowBytes(map)),
      pitch(rowPitch(map)) {
  for (unsigned i = 0; i < map.rank; ++i)
    position[i] = place.coordinates[i];
  findRow();
}

/// Where the current row lies and what of it is inside of the tensor.
void BoxWalk::findRow() {
  done = inside = 0;
  before = length; // Until something is found to be inside.
  address = map.address;
  const unsigned first = map.firstRowDim();
  for (unsigned i = first; i < map.rank; ++i) {
    int64_t at = position[i];
    if (map.mode == TensorMode::Im2col && i - first + 2 < map.rank)
      at += place.offsets[i - first];
    if (at < 0 || at > map.last[i])
      return;
    address += static_cast<uint64_t>(at) * strideOf(map, i);
  }
  if (map.interleaved()) {
    before = 0;
    inside = length;
    return;
  }
  // In bytes, from the start of the row's line of the tensor.
  const int64_t size = map.elementBytes();
  const int64_t start = position[0] * size, end = start + length;
  const int64_t from = std::max<int64_t>(start, 0);
  const int64_t to = std::min(end, (int64_t(map.last[0]) + 1) * size);
  if (from >= to)
    return;
  before = static_cast<uint32_t>(from - start);
  inside = static_cast<uint32_t>(to - from);
  address += static_cast<uint64_t>(from);
}

bool BoxWalk::next(BoxRun &run) {
  if (row == rowCount)
    return false;
  run.shared = static_cast<uint32_t>(row * pitch) + done;
  run.inside = done == before && inside > 0;
  run.bytes = run.inside ? inside : done < before ? before : length - done;
  run.global = run.inside ? address : 0;
  done += run.bytes;
  if (done == length && ++row != rowCount)
    step();
  return true;
}

void BoxWalk::step() {
  if (map.mode == TensorMode::Im2col) {
    stepPixel();
  } else {
    for (unsigned i = map.firstRowDim(); i < map.rank; ++i) {
      position[i] += map.steps[i];
      if (++index[i] < stepsOf(map, i))
        break;
      index[i] = 0;
      position[i] = place.coordinates[i];
    }
  }
  findRow();
}

void BoxWalk::stepPixel() {
  const unsigned first = map.firstRowDim();
  for (unsigned i = first; i - first + 2 < map.rank; ++i) {
    position[i] += map.steps[i];
    if (position[i] <= map.upperEnd(i))
      return;
    position[i] = map.lower[i - first];
  }
  position[map.rank - 1] += map.steps[map.rank - 1];
}

} // namespace ctc::ptx
