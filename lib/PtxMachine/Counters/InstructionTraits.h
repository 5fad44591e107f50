//===- InstructionTraits.h - What an instruction costs ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the counters know of a PTX instruction from its text alone, so that
// counting it takes no more than counting its basic block.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_COUNTERS_INSTRUCTIONTRAITS_H
#define CTC_LIB_PTXMACHINE_COUNTERS_INSTRUCTIONTRAITS_H

#include "ctc/PtxMachine/Counters.h"

#include <string_view>

namespace ctc::ptx {

struct InstructionTraits {
  InstructionClass kind = InstructionClass::Other;
  MultiplyUnit unit = MultiplyUnit::None;
  PipeUse pipes;
  uint32_t threadMultiplyAdds = 0; ///< Of one active lane.
  /// Of one warp: matrix instructions. A wgmma is issued by four warps, each
  /// of which has its quarter.
  uint32_t warpMultiplyAdds = 0;
  /// Bytes of shared memory that a warp's part of a wgmma reads.
  uint32_t wgmmaBytes = 0;
  /// Whether the first level caches what it loads (PTX ISA, "Cache Operators":
  /// not with .cg and .cv; nor do strong loads of more than the block's scope).
  bool isCached = true;
};

/// The traits of an instruction as SourceInstruction::text has it.
InstructionTraits instructionTraits(std::string_view text);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_COUNTERS_INSTRUCTIONTRAITS_H
