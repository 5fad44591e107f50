//===- HostMemory.cpp - Layers too large for the host ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HostMemory.h"

#include "llvm/Support/FormatVariadic.h"

using namespace ctc;

/// As a float, since the bytes together may not fit in 63 bits.
static double product(const std::vector<int64_t> &sizes) {
  double result = 1;
  for (int64_t size : sizes)
    result *= static_cast<double>(size);
  return result;
}

tl::unexpected<Error> driver::notEnoughMemory(const Problem &problem,
                                              bool isChecked) {
  const double outputs = product(problem.outputShape());
  double elements =
      product(problem.inputShape()) + product(problem.weightShape()) + outputs;
  if (problem.bias)
    elements += static_cast<double>(problem.outputChannels);
  double bytes = elements * static_cast<double>(byteWidth(problem.type));
  if (isChecked)
    bytes += outputs * sizeof(double);
  return makeError(
      ErrorCode::Usage,
      llvm::formatv("the host has not enough memory: input {0}, weight {1} and "
                    "output {2} take at least {3:f0} bytes{4}; use a smaller "
                    "batch or layer",
                    formatShape(problem.inputShape()),
                    formatShape(problem.weightShape()),
                    formatShape(problem.outputShape()), bytes,
                    isChecked ? ", with the float64 reference" : "")
          .str());
}
