//===- HostMemory.h - Layers too large for the host -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sizes are the user's: a layer whose tensors do not fit is a failure of that
// layer, and others may be smaller.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_HOSTMEMORY_H
#define CTC_LIB_DRIVER_HOSTMEMORY_H

#include "ctc/Support/Problem.h"

#include <new>
#include <stdexcept>

namespace ctc::driver {

/// The error of a verified problem with a static batch that memory was not
/// enough for. It names the bytes of input, weight, bias and output, and where
/// `isChecked` of the float64 accumulators.
tl::unexpected<Error> notEnoughMemory(const Problem &problem, bool isChecked);

/// What `compute` returns, an Expected; notEnoughMemory where it runs out.
template <typename Compute>
auto withinMemory(const Problem &problem, bool isChecked, Compute compute)
    -> decltype(compute()) {
  try {
    return compute();
  } catch (const std::bad_alloc &) {
  } catch (const std::length_error &) { // Of a vector, larger than can be.
  }
  return notEnoughMemory(problem, isChecked);
}

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_HOSTMEMORY_H
