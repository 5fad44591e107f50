//===- AsyncTransfer.h - Bulk copies of one thread --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Asynchronous copy". What
// bulk and tensor copies have in common: where their operands lie, whom they
// tell that they are complete, and what an observer learns of them.
//
// A transfer is performed, and its completion applied, when it is issued: one
// of the orders the ISA allows. Whether a kernel waits as it must is for an
// observer to find out.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_ASYNCTRANSFER_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_ASYNCTRANSFER_H

#include "Execution/Observer.h"
#include "Transfers/Reduction.h"

#include <string>
#include <vector>

namespace ctc::ptx {

/// A place in the shared memory of a block of the cluster.
struct SharedPlace {
  const BlockState *block = nullptr;
  uint64_t offset = 0;

  char *host() const { return block->shared + offset; }
};

/// The shared memory that data arrive in, with the mbarrier object told so.
struct Arrivals {
  std::vector<SharedPlace> places;
  std::vector<uint64_t> mbarriers; ///< Host addresses, one for each place.
};

/// Where an instruction that writes shared memory wants the data.
struct SharedTarget {
  uint64_t address = 0;   ///< In the shared window.
  uint64_t mbarrier = 0;  ///< In the shared window.
  bool ownBlock = false;  ///< .shared::cta
  bool multicast = false; ///< To the blocks of `blockMask`, by rank.
  uint16_t blockMask = 0;
};

class AsyncTransfer {
public:
  AsyncTransfer(Warp &warp, const Op &op, unsigned lane)
      : warp(warp), op(op), lane(lane) {}

  /// Sets a fault of these words; false.
  bool fault(std::string text);
  /// [address, address + bytes) of global memory as `what`, or a fault.
  bool findGlobal(const char *what, uint64_t address, uint64_t bytes,
                  bool forWriting);
  /// The place of `bytes` bytes at an address of the shared window, or a fault.
  bool findShared(const char *what, uint64_t inWindow, uint64_t bytes,
                  unsigned alignment, bool ownBlock, SharedPlace &place);
  bool findArrivals(const SharedTarget &target, uint64_t bytes,
                    unsigned alignment, Arrivals &arrivals);
  bool isAligned(const char *what, uint64_t value, unsigned alignment);

  bool isObserved() const { return warp.block->observer != nullptr; }
  /// For observers: what the transfer reads and writes, then all of it at once.
  void reads(uint64_t host, uint64_t bytes);
  void writes(uint64_t host, uint64_t bytes, bool isAtomic = false);
  void announce(const Arrivals &arrivals);
  void announceToGroup();

  /// Tells every mbarrier that `bytes` bytes are there.
  bool complete(const Arrivals &arrivals, uint32_t bytes);

  Warp &warp;
  const Op &op;
  unsigned lane;

private:
  std::vector<AsyncRange> ranges;
};

/// cp.async.bulk and cp.reduce.async.bulk, of `size` bytes; the latter if there
/// is a reducer.
bool bulkToShared(AsyncTransfer &transfer, const SharedTarget &target,
                  uint64_t source, bool fromShared, uint32_t size,
                  Reducer reducer);
bool bulkToGlobal(AsyncTransfer &transfer, uint64_t target, uint64_t source,
                  uint32_t size, Reducer reducer);
/// cp.async.bulk.prefetch
bool bulkPrefetch(AsyncTransfer &transfer, uint64_t source, uint32_t size);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_ASYNCTRANSFER_H
