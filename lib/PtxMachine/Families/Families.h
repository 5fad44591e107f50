//===- Families.h - The instruction families --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each family is one file of this folder and adds its decoders to the table.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_FAMILIES_FAMILIES_H
#define CTC_LIB_PTXMACHINE_FAMILIES_FAMILIES_H

#include "Program/OpBuilder.h"

namespace ctc::ptx {

#ifdef CTC_PTX_LEVEL
namespace CTC_PTX_LEVEL {
void addClock(DecoderTable &table);
void addMove(DecoderTable &table);
void addInteger(DecoderTable &table);
void addIntegerBits(DecoderTable &table);
void addLogic(DecoderTable &table);
void addCompare(DecoderTable &table);
void addFloat(DecoderTable &table);
void addFloatApprox(DecoderTable &table);
void addFloatPacked(DecoderTable &table);
void addFloatMixed(DecoderTable &table);
void addHalf(DecoderTable &table);
void addConvert(DecoderTable &table);
void addConvertPacked(DecoderTable &table);
void addMatrixMemory(DecoderTable &table);
void addMatrixMultiply(DecoderTable &table);
void addMemory(DecoderTable &table);
void addAtomic(DecoderTable &table);
void addAsyncCopy(DecoderTable &table);
void addBulkCopy(DecoderTable &table);
void addTensorCopy(DecoderTable &table);
void addMBarrier(DecoderTable &table);
void addCluster(DecoderTable &table);
void addWarpLevel(DecoderTable &table);
void addWgmma(DecoderTable &table);
void addRegisterCount(DecoderTable &table);
void addFence(DecoderTable &table);
/// All of them.
DecoderTable makeDecoderTable();
} // namespace CTC_PTX_LEVEL
#endif

/// The table of the best level this host can execute. CTC_PTX_LEVEL in the
/// environment names a lower one (baseline, x86_64_v3, x86_64_v4).
const DecoderTable &decoderTable();

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_FAMILIES_FAMILIES_H
