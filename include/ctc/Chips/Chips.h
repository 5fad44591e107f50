//===- Chips.h - The chips ctc compiles for ---------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CHIPS_CHIPS_H
#define CTC_CHIPS_CHIPS_H

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ctc {

/// Facts of one chip. Limits are from the CUDA C++ Programming Guide, table
/// "Technical Specifications per Compute Capability".
struct Chip {
  std::string_view name; ///< As ptxas spells it: "sm_90a".
  int major;
  int minor;
  /// An `a` chip's code runs on exactly its own compute capability.
  bool archSpecific;
  /// PTX ISA version to emit, times ten: the least that knows the chip.
  int ptxVersion;
  int64_t maxSharedPerBlock; ///< Bytes, with opt-in.
  int64_t maxSharedPerSM;    ///< Bytes.
  int64_t maxRegistersPerSM; ///< 32-bit registers.
  int64_t maxThreadsPerSM;
};

/// Bytes of shared memory a kernel may declare statically on any chip.
inline constexpr int64_t kMaxStaticShared = 49152;
/// Largest grid along x.
inline constexpr int64_t kMaxGridX = (int64_t{1} << 31) - 1;

/// All chips, oldest first.
std::span<const Chip> allChips();
std::optional<Chip> findChip(std::string_view name);
/// "sm_80, sm_86, ..." for messages.
std::string listChips();
/// Whether a cubin of `chip` runs on a device of compute capability
/// major.minor: same major and at most its minor; an `a` chip only its own.
bool runsOn(const Chip &chip, int major, int minor);

} // namespace ctc

#endif // CTC_CHIPS_CHIPS_H
