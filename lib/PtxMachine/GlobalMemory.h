//===- GlobalMemory.h - Allocations of the machine --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_GLOBALMEMORY_H
#define CTC_LIB_PTXMACHINE_GLOBALMEMORY_H

#include "Warp.h"
#include "ctc/PtxMachine/Machine.h"

#include <map>
#include <shared_mutex>

namespace ctc::ptx {

struct GlobalMemory::Impl {
  struct Allocation {
    uint64_t bytes = 0;
    uint64_t mappedBytes = 0;
  };
  mutable std::shared_mutex mutex;
  std::map<uint64_t, Allocation> allocations; ///< By address.

  /// Sets `range` to the allocation that holds [address, address + bytes).
  bool find(uint64_t address, uint64_t bytes, RangeCache &range) const;
  static bool find(const GlobalMemory &memory, uint64_t address, uint64_t bytes,
                   RangeCache &range);
};

/// "0x1f"
std::string hexadecimal(uint64_t value);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_GLOBALMEMORY_H
