//===- Geometry.cpp - A problem padded to three dimensions ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Reference/Geometry.h"

#include <algorithm>

using namespace ctc;

Geometry::Geometry(const Problem &problem)
    : batch(problem.batch), groups(problem.groups),
      inputChannels(problem.inputChannelsPerGroup()),
      outputChannels(problem.outputChannelsPerGroup()), inputSpatial(1),
      kernelSpatial(1), outputSpatial(1) {
  std::copy_backward(problem.dims.begin(), problem.dims.end(), dims.end());
  for (size_t i = 0; i < dims.size(); ++i) {
    output[i] = outputSize(dims[i]).value_or(0);
    inputSpatial *= dims[i].input;
    kernelSpatial *= dims[i].kernel;
    outputSpatial *= output[i];
  }
  inputOrder =
      ActivationOrder::of(problem.layout, problem.inputChannels, inputSpatial);
  outputOrder = ActivationOrder::of(problem.layout, problem.outputChannels,
                                    outputSpatial);
  weightOrder = WeightOrder::of(problem.weightLayout, problem.inputChannels,
                                outputChannels, kernelSpatial);
}
