//===- TuningTable.h - Kernels that were measured ---------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A table holds, for one chip, the kernels that were measured to be faster than
// what the cost model puts first. It is a JSON file that bench/peers/tune.py
// writes (docs/Benchmarks.md describes it). Those of lib/Tuning/Tables are part
// of the compiler; a user may add one.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_TUNINGTABLE_H
#define CTC_TUNING_TUNINGTABLE_H

#include "ctc/Tuning/KernelChoice.h"

#include <optional>
#include <string>
#include <vector>

namespace ctc {

/// The version of the format.
inline constexpr int64_t kTuningTableFormat = 1;

/// A kernel for one problem. Times are medians, in seconds.
struct TunedKernel {
  Problem problem;         ///< Without a bias, which decides nothing.
  std::string kernel;      ///< The #ctc.kernel attribute as text.
  std::string board;       ///< What it was measured on: "NVIDIA H200".
  double seconds = 0;      ///< Of this kernel.
  double modelSeconds = 0; ///< Of the cost model's first choice beside it.
};

struct TuningTable {
  std::string name; ///< The file, for messages.
  std::string chip;
  std::vector<TunedKernel> entries;
  /// What is wrong with entries that were left out.
  std::vector<std::string> damaged;

  /// The entry of exactly this problem, bias and the order of the weight's
  /// dimensions aside; null without one.
  const TunedKernel *find(const Problem &problem) const;
};

/// Reads a table. Fails with Usage where it is no table of this format for a
/// chip that ctc knows. Entries that are none are listed as damaged.
Expected<TuningTable> parseTuningTable(llvm::StringRef text,
                                       llvm::StringRef name);

/// A user's table: fails with Usage, naming file, entry and what is legal, when
/// it cannot be read or anything in it is damaged.
Expected<TuningTable> readTuningTable(const std::string &path);

/// The tables that are part of the compiler, one per chip at most. Read once;
/// fails where the build took in something else.
const Expected<std::vector<TuningTable>> &shippedTuningTables();

/// The kernel of an entry, with source `table`. Fails when its text is no legal
/// kernel, or the kernel cannot serve the problem, or does not fit the chip: an
/// entry grows stale when the compiler changes.
Expected<ir::KernelAttr> tunedKernel(mlir::MLIRContext *context,
                                     const TunedKernel &entry,
                                     const Chip &chip);

/// What a choice of kernel is asked to heed.
struct KernelRequest {
  /// The family to take; empty leaves it open.
  std::string family;
  /// The place in the family's ranking to take, from 0.
  std::optional<int64_t> candidate;
  /// Tables to look in, the first that has the problem counts.
  std::vector<const TuningTable *> tables;
  /// Kernels for the problem whose registers did not fit; where there are any,
  /// tables are not asked.
  std::vector<ir::KernelAttr> spilled;
};

/// Chooses a kernel for a verified problem: what is asked for explicitly (a
/// family, a place in the ranking), else the tables' kernel, else what the cost
/// model puts first. An entry whose kernel is stale is passed over, which the
/// reason says. Fails as chooseKernel of a family does.
Expected<KernelChoice> chooseKernel(mlir::MLIRContext *context,
                                    const Problem &problem, const Chip &chip,
                                    const KernelRequest &request);

} // namespace ctc

#endif // CTC_TUNING_TUNINGTABLE_H
