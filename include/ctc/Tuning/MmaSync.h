//===- MmaSync.h - Tiles of the mma_sync family -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_MMASYNC_H
#define CTC_TUNING_MMASYNC_H

#include "ctc/Tuning/KernelChoice.h"
#include "ctc/Tuning/MmaLayout.h"

namespace ctc {

/// Why mma_sync cannot serve a problem, if it cannot.
std::optional<std::string> whyNotMmaSync(const Problem &problem);

/// Why wgmma_ra cannot serve a problem on a chip, if it cannot.
std::optional<std::string> whyNotWgmmaRA(const Problem &problem,
                                         const Chip &chip);

/// Whether mma_sync is the better family where both serve.
bool prefersMmaSync(const Problem &problem);

/// Chooses tiles, phase grouping and stages of one of the families: those that
/// the cost model puts at `rank`, counted from 0, among those that fit. Leaves
/// out what is estimated to take no fewer registers than one that `spilled`.
Expected<KernelChoice>
chooseMmaSync(mlir::MLIRContext *context, const Problem &problem,
              const Chip &chip, llvm::ArrayRef<ir::Family> families,
              int64_t rank = 0, llvm::ArrayRef<ir::KernelAttr> spilled = {});

/// A kernel of mma_sync can serve the problem and fits the chip, or why not.
Expected<void> checkMmaSync(ir::KernelAttr kernel, const Problem &problem,
                            llvm::ArrayRef<DimPhasePlan> plans,
                            const Chip &chip);

} // namespace ctc

#endif // CTC_TUNING_MMASYNC_H
