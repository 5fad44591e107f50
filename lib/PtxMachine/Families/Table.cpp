//===- Table.cpp - All decoders of one level ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"

namespace ctc::ptx::CTC_PTX_LEVEL {

DecoderTable makeDecoderTable() {
  DecoderTable table;
  addClock(table); // Before the other ways of mov.
  addMove(table);
  addInteger(table);
  addIntegerBits(table);
  addLogic(table);
  addCompare(table);
  addFloat(table);
  addFloatApprox(table);
  addFloatPacked(table);
  addFloatMixed(table);
  addHalf(table);
  addConvert(table);
  addConvertPacked(table);
  addMatrixMemory(table);
  addMatrixMultiply(table);
  addMemory(table);
  addAtomic(table);
  addAsyncCopy(table);
  addBulkCopy(table);
  addTensorCopy(table);
  addMBarrier(table);
  addCluster(table);
  addWarpLevel(table);
  addWgmma(table);
  addRegisterCount(table);
  addFence(table);
  return table;
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
