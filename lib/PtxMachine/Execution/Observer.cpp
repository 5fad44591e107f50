//===- Observer.cpp - What a tool sees of a running kernel ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Execution/Observer.h"

namespace ctc::ptx {

Observer::~Observer() = default;

} // namespace ctc::ptx
