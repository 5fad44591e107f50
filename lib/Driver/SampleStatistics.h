//===- SampleStatistics.h - Medians and quartiles of times ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_SAMPLESTATISTICS_H
#define CTC_LIB_DRIVER_SAMPLESTATISTICS_H

#include <cstddef>
#include <vector>

namespace ctc::driver {

/// Of at least one sample; quartiles are interpolated linearly between the
/// closest ranks.
struct SampleStatistics {
  double median = 0, lowerQuartile = 0, upperQuartile = 0, least = 0;
  size_t count = 0;

  static SampleStatistics of(std::vector<double> samples);
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_SAMPLESTATISTICS_H
