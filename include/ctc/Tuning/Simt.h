//===- Simt.h - Tiles of the simt family ----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TUNING_SIMT_H
#define CTC_TUNING_SIMT_H

#include "ctc/Tuning/KernelChoice.h"

namespace ctc {

/// Taps of grouped phases whose pixels stay in registers together; of more a
/// thread loads as it goes, and takes all the registers there are.
inline constexpr int64_t kMaxTapsInRegisters = 32;

/// Why simt cannot serve a problem, if it cannot.
std::optional<std::string> whyNotSimt(const Problem &problem);

/// Chooses the tiles of a simt kernel: channels per thread so that few are
/// idle, phases in one block where that makes rows of the output whole or reads
/// the input once, a box that wastes few positions and little halo, and as many
/// taps per chunk as workgroup memory holds. After kernels that `spilled`
/// threads hold half as many sums, and half of those.
Expected<KernelChoice> chooseSimt(mlir::MLIRContext *context,
                                  const Problem &problem, const Chip &chip,
                                  llvm::ArrayRef<ir::KernelAttr> spilled = {});

/// The kernel serves the problem on the chip, or an error that names what does
/// not fit and what does.
Expected<void> checkSimt(ir::KernelAttr kernel, const Problem &problem,
                         llvm::ArrayRef<DimPhasePlan> plans, const Chip &chip);

} // namespace ctc

#endif // CTC_TUNING_SIMT_H
