//===- HotLines.h - Where a kernel spends its time --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Time here is what an instruction keeps its busiest unit busy if nothing else
// ran (secondsAlone), and that of a line is the sum of its instructions'.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_HOTLINES_H
#define CTC_LIB_DRIVER_HOTLINES_H

#include "LayerProfile.h"
#include "ctc/Chips/Chips.h"

#include "llvm/ADT/StringRef.h"

namespace ctc::driver {

struct HotInstruction {
  const InstructionProfile *instruction = nullptr;
  double seconds = 0;
};

/// All instructions that were executed, the hottest first, then in the order of
/// the text.
std::vector<HotInstruction> hottest(const LaunchProfile &launch,
                                    const Chip &chip);

/// For each line of a PTX text, from line 1 on at index 1, the line that the
/// .loc directive before it names; 0 for none. That is a line of the listing of
/// a bundle compiled with -g.
std::vector<uint32_t> namedLines(llvm::StringRef ptx);

/// A line of the listing.
struct HotLine {
  uint32_t line = 0;
  std::string text; ///< Without its indentation.
  double warps = 0, issued = 0, seconds = 0;
};

/// The lines of the listing whose instructions were executed, the hottest
/// first; none without a listing.
std::vector<HotLine> hottestLines(const LaunchProfile &launch,
                                  const ChipImage &image, const Chip &chip);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_HOTLINES_H
