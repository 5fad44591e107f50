//===- MBarrier.h - Mbarrier objects ----------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Parallel Synchronization and Communication Instructions: mbarrier".
// An object counts arrivals and transactions (bytes of asynchronous copies). A
// phase is complete when neither an arrival nor a transaction is pending; the
// next one then begins with the expected number of arrivals.
//
// The 64 bits of an object, and of the state that an arrive gives back (the
// object before it), are:
//
//   bits    0-19  pending arrivals
//   bits   20-39  expected arrivals of the following phases
//   bits   40-60  pending transactions, in two's complement
//   bit       61  parity of the phase
//   bits   62-63  2: other values are no object (zero is none, so memory
//                 nobody wrote is none)
//
// What the ISA leaves undefined is a fault: operations on what is no object, a
// count outside of its range, more arrivals than are pending.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_MBARRIER_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_MBARRIER_H

#include "Execution/Warp.h"

#include <optional>

namespace ctc::ptx {

struct MBarrierState {
  static constexpr uint32_t kMost = (1u << 20) - 1; ///< Of every count.

  uint32_t pending = 0;
  uint32_t expected = 0;
  int32_t transactions = 0;
  bool parity = false;

  uint64_t encode() const;
  /// Empty if these are no bits of an object.
  static std::optional<MBarrierState> decode(uint64_t bits);
};

struct Arrival {
  uint32_t count = 1;
  bool drops = false;      ///< The following phases expect as many less.
  bool noComplete = false; ///< It must not complete the phase.
};

/// What the thread of a lane does to the object at a host address inside of the
/// shared memory of a block of its cluster. All return false on a fault, which
/// they have set.
class MBarrier {
public:
  MBarrier(Warp &warp, unsigned lane, uint64_t host)
      : warp(warp), lane(lane), host(host) {}

  bool initialize(uint32_t count);
  bool invalidate();
  bool expect(uint32_t transactions);
  bool complete(uint32_t transactions);
  bool arrive(Arrival arrival);
  /// One more arrival is pending, and arrives.
  bool arriveUncounted();
  /// Sets `state` to the object.
  bool read(MBarrierState &state);

private:
  bool change(MBarrierState state, bool mayComplete);
  bool fault(const std::string &text);

  Warp &warp;
  unsigned lane;
  uint64_t host;
};

/// The block of the cluster whose shared memory a host address is in, or null.
const BlockState *sharedOwnerOfHost(const BlockState &block, uint64_t host);

/// "shared address 0x40", with " of block rank 1" if the cluster has several.
std::string describeShared(const BlockState &block, uint64_t host);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_MBARRIER_H
