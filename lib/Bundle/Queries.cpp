//===- Queries.cpp - Questions about a manifest ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Queries.h"
#include "ctc/Chips/Chips.h"
#include "ctc/Support/IntegerMath.h"

#include <algorithm>

using namespace ctc;

Expected<int64_t> ctc::blocks(const Grid &grid, int64_t batch) {
  if (batch == 0)
    return 0;
  const int64_t tiles = grid.batchTile ? ceilDiv(batch, grid.batchTile) : 1;
  int64_t count = 0;
  if (__builtin_mul_overflow(grid.blocksPerTile, tiles, &count) ||
      count > kMaxGridX)
    return makeError(
        ErrorCode::Usage,
        "a batch of " + std::to_string(batch) + " needs " +
            std::to_string(grid.blocksPerTile) + " * " + std::to_string(tiles) +
            " blocks, a grid has at most " + std::to_string(kMaxGridX));
  return count;
}

Expected<int64_t> ctc::byteSize(const Argument &argument, int64_t batch) {
  std::vector<int64_t> sizes = argument.shape;
  std::replace(sizes.begin(), sizes.end(), kDynamic, batch);
  sizes.push_back(byteWidth(argument.type));
  const auto bytes = checkedProduct(sizes);
  if (!bytes)
    return makeError(ErrorCode::Usage, "argument '" + argument.name +
                                           "' of shape " +
                                           formatShape(argument.shape) +
                                           " has more than 2^63 - 1 "
                                           "bytes for a batch of " +
                                           std::to_string(batch));
  return *bytes;
}

Expected<void> ctc::checkBatch(const Entry &entry, int64_t batch) {
  if (batch == kDynamic)
    return makeError(ErrorCode::Usage,
                     "batch is CTC_DYNAMIC, give the number of samples");
  if (entry.problem.hasDynamicBatch()) {
    if (batch >= 0)
      return {};
    return makeError(ErrorCode::Usage, "batch is " + std::to_string(batch) +
                                           ", must be at least 0");
  }
  if (batch == entry.problem.batch)
    return {};
  return makeError(ErrorCode::Usage, "batch is " + std::to_string(batch) +
                                         ", entry '" + entry.name +
                                         "' was compiled for " +
                                         std::to_string(entry.problem.batch));
}

std::string ctc::listEntries(const Manifest &manifest) {
  std::string text;
  for (const Entry &entry : manifest.entries) {
    if (!text.empty())
      text += ", ";
    text += "'" + entry.name + "'";
  }
  return text.empty() ? "none" : text;
}

Expected<size_t> ctc::findEntry(const Manifest &manifest,
                                std::string_view name) {
  for (size_t i = 0; i < manifest.entries.size(); ++i)
    if (manifest.entries[i].name == name)
      return i;
  return makeError(ErrorCode::Usage, "no entry '" + std::string(name) +
                                         "' in the bundle, which has " +
                                         listEntries(manifest));
}

std::string ctc::listChips(std::span<const ChipImage> images) {
  std::string text;
  for (const ChipImage &image : images) {
    if (!text.empty())
      text += ", ";
    text += image.chip;
  }
  return text.empty() ? "none" : text;
}

Expected<size_t> ctc::findImage(std::span<const ChipImage> images,
                                std::string_view chip) {
  for (size_t i = 0; i < images.size(); ++i)
    if (images[i].chip == chip)
      return i;
  return makeError(ErrorCode::DeviceError,
                   "no image for '" + std::string(chip) +
                       "' in the bundle, which has " + listChips(images));
}

/// Whether the driver of a GPU can translate PTX whose target is `chip`.
static bool translatesTo(const Chip &chip, int major, int minor) {
  if (chip.archSpecific)
    return runsOn(chip, major, minor);
  return std::pair(chip.major, chip.minor) <= std::pair(major, minor);
}

Expected<ImageChoice> ctc::pickImage(std::span<const ChipImage> images,
                                     int major, int minor) {
  std::optional<ImageChoice> best;
  int bestRank = -1;
  for (size_t i = 0; i < images.size(); ++i) {
    const auto chip = findChip(images[i].chip);
    if (!chip)
      continue;
    const bool hasCubin =
        !images[i].cubin.empty() && runsOn(*chip, major, minor);
    const bool hasPtx =
        !images[i].ptx.empty() && translatesTo(*chip, major, minor);
    if (!hasCubin && !hasPtx)
      continue;
    // Any cubin before any PTX; among equals the newest chip, and of the same
    // version the `a` chip, which uses more of the hardware.
    const int rank = (hasCubin ? 1 << 16 : 0) + chip->major * 256 +
                     chip->minor * 2 + chip->archSpecific;
    if (rank > bestRank) {
      bestRank = rank;
      best = ImageChoice{i, !hasCubin};
    }
  }
  if (best)
    return *best;
  return makeError(ErrorCode::DeviceError,
                   "nothing in the bundle runs on compute capability " +
                       std::to_string(major) + "." + std::to_string(minor) +
                       ": it has " + listChips(images));
}
