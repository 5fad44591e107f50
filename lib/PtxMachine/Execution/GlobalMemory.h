//===- GlobalMemory.h - Allocations of the machine --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_EXECUTION_GLOBALMEMORY_H
#define CTC_LIB_PTXMACHINE_EXECUTION_GLOBALMEMORY_H

#include "Execution/Warp.h"
#include "ctc/PtxMachine/Machine.h"

#include <atomic>
#include <map>
#include <shared_mutex>

namespace ctc::ptx {

/// An allocation and which of its bytes are initialised: one bit each, null if
/// that is not known and all count as such.
struct InitializedRange {
  uint64_t begin = 1, end = 0;
  uint64_t *bits = nullptr;
};

struct GlobalMemory::Impl {
  struct Allocation {
    uint64_t bytes = 0;
    uint64_t mappedBytes = 0;
    uint64_t *initialized = nullptr; ///< One bit per byte.
    bool assumed = false; ///< A launch that was not checked may have written.
  };
  mutable std::shared_mutex mutex;
  std::map<uint64_t, Allocation> allocations; ///< By address.

  /// Sets `range` to the allocation that holds [address, address + bytes).
  bool find(uint64_t address, uint64_t bytes, RangeCache &range) const;
  static bool find(const GlobalMemory &memory, uint64_t address, uint64_t bytes,
                   RangeCache &range);
  /// Sets `range` to the allocation that holds the address.
  static bool findInitialized(const GlobalMemory &memory, uint64_t address,
                              InitializedRange &range);
  /// From now on all bytes of all allocations count as initialised.
  static void assumeInitialized(const GlobalMemory &memory);
};

/// "0x1f"
std::string hexadecimal(uint64_t value);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_EXECUTION_GLOBALMEMORY_H
