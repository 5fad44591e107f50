//===- Queries.h - Questions about a manifest -------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What follows from a manifest once the batch or the device is known.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_BUNDLE_QUERIES_H
#define CTC_BUNDLE_QUERIES_H

#include "ctc/Bundle/Manifest.h"

#include <span>

namespace ctc {

/// Largest number of arguments of one launch; with the batch they fill half of
/// the 4 KiB a kernel's parameters may have on every chip.
inline constexpr size_t kMaxLaunchArguments = 255;

/// Blocks of a launch for a batch: blocksPerTile * ceil(batch / batchTile),
/// just blocksPerTile when batchTile is 0, and 0 for a batch of 0. Fails with
/// Usage past kMaxGridX.
Expected<int64_t> blocks(const Grid &grid, int64_t batch);

/// Bytes of an argument for a batch. Fails with Usage past 2^63 - 1.
Expected<int64_t> byteSize(const Argument &argument, int64_t batch);

/// Whether an entry can be launched for a batch: the one it was compiled for,
/// or any that is not negative when that is kDynamic. Fails with Usage.
Expected<void> checkBatch(const Entry &entry, int64_t batch);

/// "'a', 'b'", the names of the entries; "none" if there are none.
std::string listEntries(const Manifest &manifest);

/// The entry of that name. Fails with Usage, naming the entries there are.
Expected<size_t> findEntry(const Manifest &manifest, std::string_view name);

/// The image of a chip. Fails with DeviceError, naming the chips there are.
Expected<size_t> findImage(std::span<const ChipImage> images,
                           std::string_view chip);

/// An image and which of its two forms to load.
struct ImageChoice {
  size_t image = 0;
  bool usesPtx = false;
};

/// What to load on a GPU of compute capability major.minor: the newest cubin
/// that runs on it (runsOn), else the newest PTX the driver can translate: of a
/// chip not newer than the GPU, an `a` chip's only on exactly its own. Fails
/// with DeviceError, naming the chips there are.
Expected<ImageChoice> pickImage(std::span<const ChipImage> images, int major,
                                int minor);

/// "sm_80, sm_90a"
std::string listChips(std::span<const ChipImage> images);

} // namespace ctc

#endif // CTC_BUNDLE_QUERIES_H
