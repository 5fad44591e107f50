//===- MemoryModel.h - Sectors and wavefronts of a request ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How the memory of a GPU serves one request, that is one memory instruction of
// one warp.
//
// Global memory (CUDA C++ Programming Guide, "Device Memory Accesses"): the
// request becomes as many transfers of aligned 32-byte sectors as it touches.
//
// Shared memory (CUDA C++ Programming Guide, "Shared Memory"): 32 banks; words
// of 4 bytes in a row lie in banks in a row. What one bank serves at once is
// one word, to however many lanes. The guide does not say how wider accesses
// are served. On an H200 (sm_90), read off with Nsight Compute's
// l1tex__data_pipe_lsu_wavefronts_mem_shared for patterns that MemoryModelTest
// repeats, it is so; other chips are assumed to do the same:
//
//  * 8 bytes a lane are served in two phases of 16 lanes, 16 bytes in four of
//    8; a phase takes as many wavefronts as its busiest bank has different
//    words, and none if it has no active lane.
//  * Two phases of a load are served as one (of 32 lanes for 8 bytes, of each
//    half warp for 16) if every active lane i of them has the same address as
//    lane i ^ 1 or that is inactive, or likewise for i ^ 2.
//  * Atomic operations do not share words: a phase takes as many wavefronts as
//    its busiest bank has lanes.
//  * What cp.async writes took no more wavefronts than its bytes need, although
//    a store to the same rows would have had conflicts.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_COUNTERS_MEMORYMODEL_H
#define CTC_LIB_PTXMACHINE_COUNTERS_MEMORYMODEL_H

#include "Program/Program.h"

#include <array>

namespace ctc::ptx {

/// The accesses of a request: `bytes` bytes, a power of two up to 32, at
/// address[i], which is a multiple of it, for the lanes of `mask`.
struct Request {
  const uint64_t *address = nullptr;
  LaneMask mask = 0;
  unsigned bytes = 0;
};

/// The different sectors of a request, as addresses divided by kSectorBytes.
struct Sectors {
  std::array<uint64_t, kWarpSize> sector;
  unsigned count = 0;
  unsigned least = 0; ///< That its different bytes could be in.
};
Sectors sectorsOf(const Request &request);

enum class SharedAccess : uint8_t { Load, Store, Atomic, Copy };

struct Wavefronts {
  unsigned count = 0;
  unsigned least = 0; ///< For its different bytes, kWavefrontBytes at once.

  bool operator==(const Wavefronts &) const = default;
};
constexpr unsigned kWavefrontBytes = 128;
constexpr unsigned kWordBytes = 4; ///< Of a bank.
Wavefronts wavefrontsOf(const Request &request, SharedAccess access);

/// Most instructions access memory in the same shape again and again. What was
/// found for a shape holds for all requests that are shifted by a multiple of
/// `period` bytes.
template <class Result, uint64_t period> class LastShape {
public:
  /// The result for a request, which `find` finds where the shape is another;
  /// `shift` is what its addresses are above those the result was found for.
  template <class Find>
  const Result &of(const Request &request, int64_t &shift, Find find) {
    uint64_t moved = request.address[0] - address[0];
    bool other =
        request.mask != mask || request.bytes != bytes || moved % period != 0;
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      other |= request.address[lane] - address[lane] != moved;
    if (other) {
      moved = 0;
      mask = request.mask;
      bytes = request.bytes;
      for (unsigned lane = 0; lane < kWarpSize; ++lane)
        address[lane] = request.address[lane];
      result = find(request);
    }
    shift = static_cast<int64_t>(moved);
    return result;
  }

private:
  std::array<uint64_t, kWarpSize> address = {};
  LaneMask mask = 0;
  unsigned bytes = 0;
  Result result;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_COUNTERS_MEMORYMODEL_H
