//===- Scaling.h - Shrinking large layers -----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_SCALING_H
#define CTC_LIB_DRIVER_SCALING_H

#include "ctc/Support/Problem.h"

namespace ctc::driver {

/// Multiply-adds over in-range (input, tap) pairs of a verified problem.
double usefulMultiplyAdds(const Problem &problem);

/// The problem with at most `limit` useful multiply-adds, if shrinking the
/// batch first and then the spatial sizes can do that, else the smallest it can
/// do. Channels, groups, kernel, stride, dilation, padding and the parity of
/// every size stay, and no output dimension vanishes.
Problem scaleTo(Problem problem, double limit);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_SCALING_H
