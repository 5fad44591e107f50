//===- Fill.h - Inputs for a layer ------------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two ways to fill the tensors of a layer. Values depend on the seed and the
// element's canonical position (N,C,spatial and Cin,Cout,kernel), not on a
// layout.
//
// Exact: x and w are integers times 2^-10, b integers times 2^-12, such that
//
//   sum |x||w| + |b| < 2^24 units of 2^-20
//
// for every output, whatever the order of summation, so every product and
// every partial sum is an f32 number and the result has one correct value. No
// element is zero. About half of the input channels carry x of the type's full
// precision (11 significant bits for tf32 and f16, 8 for bf16) against small w,
// the others the reverse; where an output has too many products for that, full
// values are sparse.
//
// Random: uniform in [-1, 1), rounded to the type, f32 with all 24 bits.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_FILL_H
#define CTC_REFERENCE_FILL_H

#include "ctc/Reference/Accumulate.h"
#include "ctc/Support/Epilogue.h"

namespace ctc {

enum class Fill : uint8_t { Exact, Random };

std::string_view name(Fill fill);
std::optional<Fill> parseFill(std::string_view text);

struct FillOptions {
  Fill fill = Fill::Random;
  uint64_t seed = 0;
  /// Type of the bias tensor; the problem's when unset.
  std::optional<ElementType> biasType;
};

/// Fills x, w, b (if the problem has a bias) and the epilogue's operands of a
/// verified problem with a static batch. Fails with InvalidProblem when an
/// output has so many products that no exact fill exists (more than 2^23).
Expected<LayerInputs> makeInputs(const Problem &problem,
                                 const Epilogue &epilogue,
                                 const FillOptions &options);

/// Only the epilogue's operands, for a batch.
std::vector<Tensor> makeOperands(const Epilogue &epilogue, int64_t batch,
                                 const FillOptions &options);

/// The same activation in another layout: moves the channels.
Tensor convertLayout(const Tensor &tensor, Layout from, Layout to);

} // namespace ctc

#endif // CTC_REFERENCE_FILL_H
