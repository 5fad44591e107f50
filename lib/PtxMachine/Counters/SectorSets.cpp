//===- SectorSets.cpp - Which sectors were touched ------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/SectorSets.h"

#include <bit>

namespace ctc::ptx {

//===----------------------------------------------------------------------===//
// SectorSet
//===----------------------------------------------------------------------===//

/// The slot of a sector, or the free one where it belongs. Sectors come in
/// runs, which multiplication spreads.
size_t SectorSet::place(uint64_t sector) const {
  const size_t mask = slots.size() - 1;
  size_t slot =
      static_cast<size_t>((sector * 0x9e3779b97f4a7c15u) >> 32) & mask;
  while (slots[slot] && slots[slot] != sector + 1)
    slot = (slot + 1) & mask;
  return slot;
}

bool SectorSet::insert(uint64_t sector) {
  if (2 * used.size() >= slots.size())
    grow();
  const size_t slot = place(sector);
  if (slots[slot])
    return false;
  slots[slot] = sector + 1;
  used.push_back(slot);
  return true;
}

void SectorSet::grow() {
  std::vector<uint64_t> old(slots.empty() ? 1024 : 2 * slots.size());
  old.swap(slots);
  for (size_t &slot : used) {
    const uint64_t sector = old[slot] - 1;
    slot = place(sector);
    slots[slot] = sector + 1;
  }
}

void SectorSet::clear() {
  for (size_t slot : used)
    slots[slot] = 0;
  used.clear();
}

//===----------------------------------------------------------------------===//
// SectorMap
//===----------------------------------------------------------------------===//

uint64_t SectorMap::count() const {
  uint64_t sum = 0;
  for (const Piece &piece : pieces)
    for (uint64_t i = 0; piece && i < kPieceSectors / 64; ++i)
      sum += static_cast<unsigned>(std::popcount(piece[i]));
  return sum;
}

void SectorMap::merge(const SectorMap &other) {
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (!other.pieces[i])
      continue;
    if (!pieces[i])
      pieces[i] = std::make_unique<uint64_t[]>(kPieceSectors / 64);
    for (uint64_t k = 0; k < kPieceSectors / 64; ++k)
      pieces[i][k] |= other.pieces[i][k];
  }
}

} // namespace ctc::ptx
