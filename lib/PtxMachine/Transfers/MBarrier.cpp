//===- MBarrier.cpp - Mbarrier objects ------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/MBarrier.h"

#include "Execution/GlobalMemory.h"
#include "Execution/Observer.h"

#include <cstring>

namespace ctc::ptx {

static constexpr unsigned kCountBits = 20, kTransactionBits = 21;
static constexpr uint64_t kTag = uint64_t(2) << 62;

uint64_t MBarrierState::encode() const {
  constexpr uint64_t low = (uint64_t(1) << kTransactionBits) - 1;
  return pending | uint64_t(expected) << kCountBits |
         (static_cast<uint64_t>(transactions) & low) << 2 * kCountBits |
         uint64_t(parity) << 61 | kTag;
}

std::optional<MBarrierState> MBarrierState::decode(uint64_t bits) {
  MBarrierState state;
  state.pending = bits & kMost;
  state.expected = bits >> kCountBits & kMost;
  // The sign is the highest of the field's bits.
  state.transactions = static_cast<int32_t>(static_cast<int64_t>(bits << 3) >>
                                            (64 - kTransactionBits));
  state.parity = bits >> 61 & 1;
  // A phase never has more arrivals pending than its following ones.
  if (bits >> 62 != 2 || state.pending > state.expected)
    return std::nullopt;
  return state;
}

const BlockState *sharedOwnerOfHost(const BlockState &block, uint64_t host) {
  for (unsigned rank = 0; rank < block.cluster->size; ++rank) {
    const BlockState *other = block.cluster->blocks[rank];
    if (host - reinterpret_cast<uint64_t>(other->shared) < other->sharedBytes)
      return other;
  }
  return nullptr;
}

std::string describeShared(const BlockState &block, uint64_t host) {
  const BlockState *owner = sharedOwnerOfHost(block, host);
  if (!owner)
    return "host address " + hexadecimal(host);
  return "shared address " +
         hexadecimal(host - reinterpret_cast<uint64_t>(owner->shared)) +
         (block.cluster->size > 1
              ? " of block rank " + std::to_string(owner->rank)
              : "");
}

bool MBarrier::fault(const std::string &text) {
  return describeFault(
      warp, lane, "mbarrier at " + describeShared(*warp.block, host) + text);
}

bool MBarrier::read(MBarrierState &state) {
  uint64_t bits;
  std::memcpy(&bits, reinterpret_cast<const void *>(host), sizeof(bits));
  auto found = MBarrierState::decode(bits);
  if (!found)
    return fault(" is not initialised or was invalidated or overwritten; it "
                 "needs an mbarrier.init");
  state = *found;
  return true;
}

/// Stores the object, after its phase is over if nothing is pending.
bool MBarrier::change(MBarrierState state, bool mayComplete) {
  const bool complete =
      mayComplete && state.pending == 0 && state.transactions == 0;
  if (complete) {
    state.pending = state.expected;
    state.parity = !state.parity;
  }
  const uint64_t bits = state.encode();
  std::memcpy(reinterpret_cast<void *>(host), &bits, sizeof(bits));
  if (complete) {
    ++warp.block->cluster->events;
    if (warp.block->observer)
      warp.block->observer->phaseComplete(host);
  }
  return true;
}

bool MBarrier::initialize(uint32_t count) {
  if (count == 0 || count > MBarrierState::kMost)
    return fault(" is initialised with count " + std::to_string(count) +
                 "; legal are 1 to " + std::to_string(MBarrierState::kMost));
  return change({count, count, 0, false}, false);
}

bool MBarrier::invalidate() {
  MBarrierState state;
  if (!read(state))
    return false;
  std::memset(reinterpret_cast<void *>(host), 0, sizeof(uint64_t));
  return true;
}

bool MBarrier::expect(uint32_t transactions) {
  MBarrierState state;
  if (!read(state))
    return false;
  const int64_t sum = int64_t(state.transactions) + transactions;
  if (sum > int64_t(MBarrierState::kMost))
    return fault(" expects " + std::to_string(transactions) + " more than " +
                 std::to_string(state.transactions) +
                 " bytes; legal are up to " +
                 std::to_string(MBarrierState::kMost));
  state.transactions = static_cast<int32_t>(sum);
  return change(state, false);
}

bool MBarrier::complete(uint32_t transactions) {
  MBarrierState state;
  if (!read(state))
    return false;
  const int64_t rest = int64_t(state.transactions) - transactions;
  if (rest < -int64_t(MBarrierState::kMost))
    return fault(" completes " + std::to_string(transactions) + " of " +
                 std::to_string(state.transactions) +
                 " bytes; legal are down to -" +
                 std::to_string(MBarrierState::kMost));
  state.transactions = static_cast<int32_t>(rest);
  return change(state, true);
}

bool MBarrier::arrive(Arrival arrival) {
  MBarrierState state;
  if (!read(state))
    return false;
  if (arrival.count == 0 || arrival.count > state.pending)
    return fault(" has " + std::to_string(state.pending) +
                 " arrivals pending and count " +
                 std::to_string(arrival.count) + " arrives" +
                 (state.pending
                      ? "; legal are 1 to " + std::to_string(state.pending)
                      : "; none is legal before the phase's " +
                            std::to_string(state.transactions) +
                            " bytes are complete"));
  state.pending -= arrival.count;
  if (arrival.drops)
    state.expected -= arrival.count;
  if (arrival.noComplete && state.pending == 0 && state.transactions == 0)
    return fault(" completes its phase by an arrive with .noComplete");
  return change(state, true);
}

bool MBarrier::arriveUncounted() {
  MBarrierState state;
  if (!read(state))
    return false;
  if (state.pending == MBarrierState::kMost)
    return fault(" has " + std::to_string(state.pending) +
                 " arrivals pending; one more is not legal");
  return true;
}

} // namespace ctc::ptx
