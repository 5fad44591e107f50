//===- SectorSets.h - Which sectors were touched ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_COUNTERS_SECTORSETS_H
#define CTC_LIB_PTXMACHINE_COUNTERS_SECTORSETS_H

#include <cstdint>
#include <memory>
#include <vector>

namespace ctc::ptx {

/// A set of sectors that is filled and emptied often: those of a block.
class SectorSet {
public:
  /// Whether it was not in the set.
  bool insert(uint64_t sector);
  void clear();

private:
  void grow();
  size_t place(uint64_t sector) const;

  std::vector<uint64_t> slots; ///< Sector + 1; 0 is free. A power of two.
  std::vector<size_t> used;    ///< The slots that are not.
};

/// A set of sectors of one allocation, numbered from its first: a bitmap in
/// pieces, made when first touched, as an allocation may be large and sparse.
class SectorMap {
public:
  explicit SectorMap(uint64_t sectors)
      : pieces((sectors + kPieceSectors - 1) / kPieceSectors) {}

  void insert(uint64_t sector) {
    Piece &piece = pieces[sector / kPieceSectors];
    if (!piece)
      piece = std::make_unique<uint64_t[]>(kPieceSectors / 64);
    piece[sector % kPieceSectors / 64] |= uint64_t(1) << sector % 64;
  }
  uint64_t count() const;
  /// Adds what `other`, of the same allocation, holds.
  void merge(const SectorMap &other);

private:
  static constexpr uint64_t kPieceSectors = 1 << 15; ///< Of 1 MiB.
  using Piece = std::unique_ptr<uint64_t[]>;
  std::vector<Piece> pieces;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_COUNTERS_SECTORSETS_H
