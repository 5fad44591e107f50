//===- HostProducer.h - A right result, and planted wrong ones --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Computes a layer as a kernel would: a gather per output, products added one
// by one in f32 by fused multiply-adds. Mutants are the mistakes that kernels
// make; the check must reject each.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_REFERENCE_HOSTPRODUCER_H
#define CTC_TEST_UNIT_REFERENCE_HOSTPRODUCER_H

#include "ctc/Reference/Accumulate.h"

namespace ctc::test {

enum class Mutant {
  None,
  BF16Operands,      ///< bf16 where tf32 is due.
  TruncatedOperands, ///< Operands cut to tf32 instead of rounded.
  TruncatedResult,   ///< The output cut to its type instead of rounded.
  DroppedTap,        ///< The last tap of every dimension is skipped.
  ShiftedPhase,      ///< The last residue reads one input too far.
  UnwrittenElement,  ///< The last output is left NaN.
  ShiftedBias,       ///< Every channel has its neighbour's bias.
  HalfSum,           ///< f16 accumulation where f32 is due.
};

/// The output of a verified problem without an epilogue.
Tensor produce(const Problem &problem, const LayerInputs &inputs,
               Mutant mutant = Mutant::None);

} // namespace ctc::test

#endif // CTC_TEST_UNIT_REFERENCE_HOSTPRODUCER_H
