//===- Geometry.h - A problem padded to three dimensions --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A dimension of input 1, kernel 1, stride 1 changes nothing, so leading ones
// bring every rank to three and loops need no case for the rank.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_REFERENCE_GEOMETRY_H
#define CTC_REFERENCE_GEOMETRY_H

#include "ctc/Support/Problem.h"

#include <array>

namespace ctc {

/// Position of the elements (n, c, s) of an activation in memory, s being the
/// linear index over the spatial dimensions.
struct ActivationOrder {
  int64_t batchStride = 0;
  int64_t channelStride = 0;
  int64_t spatialStride = 0;

  static ActivationOrder of(Layout layout, int64_t channels, int64_t spatial) {
    if (layout == Layout::ChannelsFirst)
      return {channels * spatial, spatial, 1};
    return {channels * spatial, 1, channels};
  }
  int64_t at(int64_t n, int64_t c, int64_t s) const {
    return n * batchStride + c * channelStride + s * spatialStride;
  }
};

/// Position of the elements (ci, co, k) of a weight in memory: an input channel
/// of all, an output channel of a group, and the linear index over the kernel.
struct WeightOrder {
  int64_t inputStride = 0;
  int64_t outputStride = 0;
  int64_t kernelStride = 0;

  static WeightOrder of(WeightLayout layout, int64_t inputs, int64_t outputs,
                        int64_t kernel) {
    if (layout == WeightLayout::InputOutputKernel)
      return {outputs * kernel, kernel, 1};
    return {1, kernel * inputs, inputs};
  }
  int64_t at(int64_t ci, int64_t co, int64_t k) const {
    return ci * inputStride + co * outputStride + k * kernelStride;
  }
};

/// A verified problem with a static batch, its sizes multiplied out.
struct Geometry {
  std::array<SpatialDim, 3> dims; ///< Leading ones up to three.
  std::array<int64_t, 3> output;  ///< Output size per dimension.
  int64_t batch, groups;
  int64_t inputChannels, outputChannels;              ///< Per group.
  int64_t inputSpatial, kernelSpatial, outputSpatial; ///< Products.
  ActivationOrder inputOrder, outputOrder;
  WeightOrder weightOrder;

  explicit Geometry(const Problem &problem);
};

} // namespace ctc

#endif // CTC_REFERENCE_GEOMETRY_H
