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

/// What one multiprocessor does in a clock at most, for estimates of time.
/// Numbers of arithmetic are threads' operations: CUDA C++ Best Practices
/// Guide 13.0, table "Throughput of Native Arithmetic Instructions" (a packed
/// f16x2 operation is one here). Those of matrices are dense multiply-adds with
/// sums in f32 (or s32, f64): what the board's published rates come to.
struct ChipRates {
  int fp32; ///< Multiply-adds; integer multiplications use the same pipe.
  int fp16; ///< f16x2 and bf16x2 operations.
  int fp64;
  int integer; ///< 32-bit additions, logic, comparisons.
  int special; ///< Reciprocals, roots, exponentials, most conversions.
  int matrixTf32;
  int matrix16; ///< f16 and bf16.
  int matrix8;  ///< 8-bit integers and floats; 0: none.
  int matrix64; ///< 0: none.
  /// The part of the matrix rates that mma.sync reaches; the rest is for
  /// instructions of warpgroups (wgmma, tcgen05).
  double mmaSyncShare;
  /// Bytes that the second level delivers to each of all multiprocessors when
  /// they all read.
  double l2Bytes;
};
/// The same on all chips: warp instructions issued in a clock, and bytes that
/// shared memory (and the first level) serves.
inline constexpr int kIssueSlots = 4;
inline constexpr int kSharedBytesPerClock = 128;

/// A product with the chip, as its vendor publishes it.
struct Board {
  std::string_view name;
  int multiprocessors;
  double clock;       ///< Boost, in Hz.
  double matrixClock; ///< That the published rates of matrices are at, in Hz.
  double memoryBytes; ///< Per second.
};

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
  int64_t maxBlocksPerSM;
  int64_t firstLevelPerSM; ///< Bytes of first level and shared memory together.
  ChipRates rates;
  Board board; ///< What times are estimated for.
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
/// Whether a kernel can wait by itself for the grids before it in its stream
/// (PTX ISA, "griddepcontrol": sm_90 and newer), and so be launched while they
/// still run.
bool hasProgrammaticLaunch(const Chip &chip);
/// Whether a cubin of `chip` runs on a device of compute capability
/// major.minor: same major and at most its minor; an `a` chip only its own.
bool runsOn(const Chip &chip, int major, int minor);

} // namespace ctc

#endif // CTC_CHIPS_CHIPS_H
