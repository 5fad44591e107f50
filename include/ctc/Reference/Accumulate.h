//===- Accumulate.h - The operator in float64, as defined -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The oracle: for every (n, group, co, ci, i..., k...)
//
//   o = i*s - lo + k*d;   if 0 <= o < O:   y[o] += x[i] * w[k]
//
// in float64, in which products of two f32 values are exact. It knows neither
// phases nor tiles. Results are in canonical order, N,Cout,spatial, whatever
// the layout of the tensors, so that both layouts can share them.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_ACCUMULATE_H
#define CTC_REFERENCE_ACCUMULATE_H

#include "ctc/Support/Tensor.h"

#include <array>

namespace ctc {

/// The tensors of one call of a layer.
struct LayerInputs {
  Tensor input;                 ///< Of Problem::inputShape().
  Tensor weight;                ///< Of Problem::weightShape().
  std::optional<Tensor> bias;   ///< Of one element per output channel.
  std::vector<Tensor> operands; ///< As Epilogue::operands says.
};

/// Float64 accumulators of all outputs, in canonical order.
struct Accumulation {
  /// sum x*w + b.
  std::vector<double> value;
  /// sum |x||w| + |b|; empty unless asked for.
  std::vector<double> magnitude;
  /// Per dimension (leading ones up to three, see Geometry) and output
  /// coordinate, how many (i, k) land there. Their product times the input
  /// channels of a group is an output's number of products.
  std::array<std::vector<int64_t>, 3> pairs;
};

struct AccumulateOptions {
  bool magnitude = false;
  unsigned threads = 0; ///< 0 means one per core.
};

/// Runs the oracle on a verified problem with a static batch and tensors of its
/// shapes. With precision tf32 and f32 operands, x and w are first rounded to
/// tf32 (to nearest, ties away from zero); otherwise they are used as they are.
Accumulation accumulate(const Problem &problem, const LayerInputs &inputs,
                        const AccumulateOptions &options = {});

} // namespace ctc

#endif // CTC_REFERENCE_ACCUMULATE_H
