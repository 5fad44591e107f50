//===- Warp.h - The state operations work on --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain data, with no member functions: the instruction families are compiled
// for several instruction sets of the host, and everything they share must
// mean the same in all of them.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_WARP_H
#define CTC_LIB_PTXMACHINE_WARP_H

#include "Program.h"

#include <cstddef>
#include <cstdint>

namespace ctc::ptx {

/// PTX ISA, "State Spaces": generic addresses are host addresses, except in
/// two windows of the host's address space that nothing else can occupy (they
/// are reserved and never accessible), which stand for the shared memory of
/// the own block and the local memory of the own thread.
struct GenericWindows {
  uint64_t shared = 0;
  uint64_t local = 0;
  static constexpr uint64_t kBytes = uint64_t(1) << 24;
};
const GenericWindows &genericWindows();

/// The allocation an operation last accessed; checked before the search.
struct RangeCache {
  uint64_t begin = 1, end = 0;
};

enum class FaultKind : uint8_t {
  None,
  Misaligned,
  OutsideGlobal,
  OutsideShared,
  OutsideLocal,
  OutsideParameters,
  Trap,
  DivergentBarrier,
  BadBarrier,
  BadCollective,
  BadIndex,
};

/// What a handler reports; the executor makes a sentence of it.
struct Fault {
  FaultKind kind = FaultKind::None;
  unsigned lane = 0;
  uint64_t address = 0;
  uint64_t bytes = 0;
  const char *access = ""; ///< "load", "store", ...
};

/// One thread block on one host thread.
struct BlockState {
  const GlobalMemory *memory = nullptr;
  char *shared = nullptr;
  uint64_t sharedBytes = 0;
  const char *parameters = nullptr;
  uint64_t parameterBytes = 0;
  RangeCache *caches = nullptr; ///< One for each Program::cacheSlots.
  const uint32_t *wideOperands = nullptr;
  Dim3 blockIndex;
};

struct Warp {
  char *registers = nullptr; ///< Program::registerBytes, 64-byte aligned.
  LaneMask *predicates = nullptr;
  char *local = nullptr;   ///< Of lane 0; lanes follow each other.
  uint64_t localBytes = 0; ///< Of one lane.
  BlockState *block = nullptr;
  unsigned index = 0;  ///< In the block.
  LaneMask live = 0;   ///< Lanes that have not exited.
  LaneMask active = 0; ///< Of the running path.
  Fault fault;
};

/// Finds the allocation of [address, address + bytes) and remembers it. False
/// if there is none. Reads may also touch the launch's parameters.
bool findGlobal(const BlockState &block, uint64_t address, uint64_t bytes,
                bool forWriting, RangeCache &cache);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_WARP_H
