//===- WarpgroupChecks.cpp - What warpgroup instructions ask for ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "wgmma.mma_async": .sync.aligned, the warpgroup, and that matrix
// descriptors are the same in all its threads; "Matrix Descriptor Format".
//
//===----------------------------------------------------------------------===//

#define CTC_PTX_LEVEL baseline
#include "Execution/GlobalMemory.h"
#include "Execution/Observer.h"
#include "Execution/WarpgroupLedger.h"
#include "Families/Lanes.h"
#include "Families/Wgmma.h"

#include <algorithm>
#include <bit>
#include <string>
#include <vector>

namespace ctc::ptx {

static std::string operandName(char name, uint64_t bits) {
  return std::string("the descriptor ") + hexadecimal(bits) + " of " + name;
}

bool checkWarpgroup(Warp &warp, LaneMask mask) {
  // The last threads of a block may be no warpgroup.
  const unsigned end =
      (warp.index / kWarpgroupWarps + 1) * kWarpgroupWarps * kWarpSize;
  if (end > warp.block->threads)
    return describeFault(
        warp, 0,
        "it works on warpgroups of 128 threads, and of this one the block's " +
            std::to_string(warp.block->threads) + " threads make up " +
            std::to_string(warp.block->threads %
                           (kWarpgroupWarps * kWarpSize)));
  return baseline::isWholeWarp(warp, mask);
}

bool haveCaughtUp(const Warp &warp) {
  return warp.block->warpgroups->haveCaughtUp(warp);
}

bool issueTogether(Warp &warp, const WarpgroupIssue &issue) {
  return warp.block->warpgroups->issue(warp, issue);
}

bool readDescriptor(Warp &warp, uint32_t offset, char name, uint64_t &bits) {
  const auto *row = reinterpret_cast<const uint64_t *>(warp.registers + offset);
  bits = row[0];
  for (unsigned lane = 1; lane < kWarpSize; ++lane)
    if (row[lane] != bits)
      return describeFault(warp, lane,
                           operandName(name, row[lane]) +
                               " is not that of thread 0 of the warp, " +
                               hexadecimal(bits) + "; a warpgroup has one");
  return true;
}

bool decodeDescriptor(Warp &warp, uint64_t bits, char name, MatrixMajor major,
                      unsigned chunks, MatrixDescriptor &descriptor) {
  descriptor = decodeMatrixDescriptor(bits);
  if (bits & kDescriptorFreeBits)
    return describeFault(warp, 0,
                         operandName(name, bits) + " has bits " +
                             hexadecimal(bits & kDescriptorFreeBits) +
                             ", which belong to no field and must be 0");
  if (descriptor.swizzle == Swizzle::None) {
    if (descriptor.baseOffset)
      return describeFault(warp, 0,
                           operandName(name, bits) + " has base offset " +
                               std::to_string(descriptor.baseOffset) +
                               "; without swizzling it must be 0");
    return true;
  }
  // Chunks side by side must stay in one row of the swizzling pattern.
  const uint32_t rowBytes = swizzleRowBytes(descriptor.swizzle);
  const uint32_t into = descriptor.start % rowBytes;
  const uint32_t needed =
      std::min(rowBytes, major == MatrixMajor::K ? kMatrixRowBytes
                                                 : chunks * kChunkBytes);
  if (into + needed > rowBytes)
    return describeFault(
        warp, 0,
        operandName(name, bits) + " starts " + std::to_string(into) +
            " bytes into a swizzled row of " + std::to_string(rowBytes) +
            " bytes, of which it reads " + std::to_string(needed) +
            "; it may start at most " + std::to_string(rowBytes - needed) +
            " bytes into one");
  return true;
}

bool checkChunks(Warp &warp, char name, const MatrixDescriptor &descriptor,
                 const uint32_t *addresses, unsigned count) {
  const uint64_t bytes = warp.block->sharedBytes;
  uint32_t highest = 0;
  for (unsigned i = 0; i < count; ++i)
    highest = std::max(highest, addresses[i]);
  if (highest + uint64_t(kChunkBytes) <= bytes)
    return true;
  return describeFault(
      warp, 0,
      std::string("the matrix ") + name + ", from " +
          hexadecimal(descriptor.start) + " on with " +
          std::to_string(descriptor.leadingBytes) + " and " +
          std::to_string(descriptor.strideBytes) +
          " bytes of leading and stride offset, reaches 16 bytes at " +
          hexadecimal(highest) + ", outside the block's " +
          std::to_string(bytes) + " bytes of shared memory");
}

bool readScale(Warp &warp, uint32_t predicate, bool &holds) {
  const LaneMask mask = warp.predicates[predicate];
  holds = mask == kAllLanes;
  if (holds || mask == 0)
    return true;
  return describeFault(warp, static_cast<unsigned>(std::countr_zero(mask)),
                       "scale-d holds for lanes " + hexadecimal(mask) +
                           " only; all threads must agree on it");
}

void observeChunks(Warp &warp, const Op &op, const uint32_t *addresses,
                   unsigned count) {
  std::vector<uint32_t> sorted(addresses, addresses + count);
  std::sort(sorted.begin(), sorted.end());
  std::vector<AsyncRange> ranges;
  const auto shared = reinterpret_cast<uint64_t>(warp.block->shared);
  for (uint32_t address : sorted) {
    const uint64_t begin = shared + address;
    if (ranges.empty() || ranges.back().host + ranges.back().bytes < begin)
      ranges.push_back({begin, kChunkBytes, false, false});
    else
      ranges.back().bytes = begin + kChunkBytes - ranges.back().host;
  }
  warp.block->observer->asynchronous(
      warp, op, {Completion::WgmmaGroup, kAllLanes, 0, ranges});
}

} // namespace ctc::ptx
