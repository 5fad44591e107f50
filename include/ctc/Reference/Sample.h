//===- Sample.h - Some outputs of a layer, in float64 -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For layers whose every output would take too long: the definition gathered
// for single outputs,
//
//   y[o] = sum over (i, k) with  i*s - lo + k*d = o  of  x[i] * w[k]
//
// without phases, by trying every k.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_SAMPLE_H
#define CTC_REFERENCE_SAMPLE_H

#include "ctc/Reference/Check.h"

namespace ctc {

/// n, channel, and three spatial coordinates (leading ones 0, see Geometry).
using OutputIndex = std::array<int64_t, 5>;

/// `count` outputs of a problem with a static batch, drawn from `seed`, and
/// besides them the corners: first and last of every coordinate. All distinct
/// where the problem has that many.
std::vector<OutputIndex> sampleOutputs(const Problem &problem, int64_t count,
                                       uint64_t seed);

/// What accumulate() gives, of the listed outputs.
struct SampledAccumulation {
  std::vector<OutputIndex> outputs;
  std::vector<double> value, magnitude;
  std::vector<int64_t> products;
};

SampledAccumulation accumulateSamples(const Problem &problem,
                                      const LayerInputs &inputs,
                                      std::vector<OutputIndex> outputs,
                                      unsigned threads = 0);

/// As check(), of the sampled outputs alone.
Expected<CheckReport> checkSamples(const Problem &problem,
                                   const Epilogue &epilogue,
                                   const SampledAccumulation &accumulation,
                                   const std::vector<Tensor> &operands,
                                   const Tensor &output,
                                   const CheckOptions &options);

} // namespace ctc

#endif // CTC_REFERENCE_SAMPLE_H
