//===- MemoryModel.cpp - Sectors and wavefronts of a request --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/MemoryModel.h"

#include "ctc/PtxMachine/Counters.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx {

namespace {
constexpr unsigned kBanks = kWavefrontBytes / kWordBytes;

/// Different numbers in the order they came; mostly they come in order.
struct DistinctNumbers {
  std::array<uint64_t, kWarpSize> number;
  unsigned count = 0;
  uint64_t largest = 0;

  void add(uint64_t value) {
    const auto end = number.begin() + count;
    if (count && value <= largest &&
        std::find(number.begin(), end, value) != end)
      return;
    number[count++] = value;
    largest = std::max(largest, value);
  }
};

template <class Visit> void forEachLane(LaneMask mask, Visit visit) {
  for (LaneMask left = mask; left; left &= left - 1)
    visit(static_cast<unsigned>(std::countr_zero(left)));
}

/// Accesses of one size at multiples of it are the same or disjoint.
unsigned distinctBytes(const Request &request) {
  DistinctNumbers addresses;
  forEachLane(request.mask,
              [&](unsigned lane) { addresses.add(request.address[lane]); });
  return addresses.count * request.bytes;
}

unsigned ceilDiv(unsigned a, unsigned b) { return (a + b - 1) / b; }
} // namespace

Sectors sectorsOf(const Request &request) {
  DistinctNumbers sectors;
  forEachLane(request.mask, [&](unsigned lane) {
    sectors.add(request.address[lane] / kSectorBytes);
  });
  return {sectors.number, sectors.count,
          ceilDiv(distinctBytes(request), unsigned(kSectorBytes))};
}

//===----------------------------------------------------------------------===//
// Banks
//===----------------------------------------------------------------------===//

/// The most different words that one bank has in a phase.
static unsigned busiestBank(const Request &request, LaneMask phase) {
  uint64_t words[kBanks][kWarpSize];
  unsigned counts[kBanks] = {};
  unsigned most = 0;
  const unsigned wordsPerLane = ceilDiv(request.bytes, kWordBytes);
  forEachLane(phase, [&](unsigned lane) {
    for (unsigned k = 0; k < wordsPerLane; ++k) {
      const uint64_t word = request.address[lane] / kWordBytes + k;
      const unsigned bank = word % kBanks;
      uint64_t *end = words[bank] + counts[bank];
      if (std::find(words[bank], end, word) != end)
        continue;
      *end = word;
      most = std::max(most, ++counts[bank]);
    }
  });
  return most;
}

/// The most lanes that one bank has in a phase.
static unsigned crowdedBank(const Request &request, LaneMask phase) {
  unsigned counts[kBanks] = {};
  unsigned most = 0;
  forEachLane(phase, [&](unsigned lane) {
    const unsigned bank = request.address[lane] / kWordBytes % kBanks;
    most = std::max(most, ++counts[bank]);
  });
  return most;
}

/// Whether the active lanes of `phases` come in pairs of one address.
static bool comeInPairs(const Request &request, LaneMask phases) {
  auto pairedWith = [&](unsigned distance) {
    bool all = true;
    forEachLane(phases, [&](unsigned lane) {
      const unsigned other = lane ^ distance;
      all &= !(phases >> other & 1) ||
             request.address[lane] == request.address[other];
    });
    return all;
  };
  return pairedWith(1) || pairedWith(2);
}

/// The lanes [first, first + count) of the request.
static LaneMask lanesOf(const Request &request, unsigned first,
                        unsigned count) {
  return request.mask & kAllLanes >> (kWarpSize - count) << first;
}

Wavefronts wavefrontsOf(const Request &request, SharedAccess access) {
  Wavefronts result;
  result.least = ceilDiv(distinctBytes(request), kWavefrontBytes);
  if (access == SharedAccess::Copy) {
    result.count = result.least;
    return result;
  }
  const unsigned lanes =
      request.bytes <= kWordBytes ? kWarpSize : kWavefrontBytes / request.bytes;
  auto degree = [&](LaneMask phase) {
    return access == SharedAccess::Atomic ? crowdedBank(request, phase)
                                          : busiestBank(request, phase);
  };
  if (lanes == kWarpSize) {
    result.count = degree(request.mask);
    return result;
  }
  for (unsigned first = 0; first < kWarpSize; first += 2 * lanes) {
    const LaneMask both = lanesOf(request, first, 2 * lanes);
    if (access == SharedAccess::Load && comeInPairs(request, both))
      result.count += degree(both);
    else
      result.count += degree(lanesOf(request, first, lanes)) +
                      degree(lanesOf(request, first + lanes, lanes));
  }
  return result;
}

} // namespace ctc::ptx
