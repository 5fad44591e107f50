//===- TensorTransfer.h - Tensor copies of one thread -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Tensor copy". BoxWalk.h
// says which bytes; here they are moved. All of a box counts as transferred,
// what lies outside of the tensor too: loads fill it, stores leave it out.
//
// Stores and reductions know the end of dimension 0 only to 16 bytes: where the
// tensor ends within such a chunk, all of the chunk is written. The ISA does
// not say so; an H200 does it, in every mode and type.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_TENSORTRANSFER_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_TENSORTRANSFER_H

#include "Transfers/AsyncTransfer.h"
#include "Transfers/BoxWalk.h"

#include <optional>

namespace ctc::ptx {

/// The tensor operand of an instruction.
struct TensorOperand {
  uint64_t map = 0; ///< Generic address of the tensor map.
  unsigned rank = 0;
  TensorMode mode = TensorMode::Tiled;
  BoxPlace place;
};

/// cp.async.bulk.tensor to shared memory.
bool tensorToShared(AsyncTransfer &transfer, const TensorOperand &tensor,
                    const SharedTarget &target);
/// cp.async.bulk.tensor and cp.reduce.async.bulk.tensor to global memory.
bool tensorToGlobal(AsyncTransfer &transfer, const TensorOperand &tensor,
                    uint64_t source, std::optional<ReduceOp> reduction);
/// cp.async.bulk.prefetch.tensor
bool tensorPrefetch(AsyncTransfer &transfer, const TensorOperand &tensor);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_TENSORTRANSFER_H
