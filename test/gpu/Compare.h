//===- Compare.h - How far two buffers differ -------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_COMPARE_H
#define CTC_TEST_GPU_COMPARE_H

#include "Record.h"

namespace ctc::gpu {

/// From best to worst.
enum class Status : uint32_t {
  Identical,   ///< Every bit of every buffer.
  NaNPayload,  ///< Only the payloads or signs of NaNs differ.
  WithinBound, ///< Every element within the case's own bound.
  Differs,
  Refused, ///< No image: the assembler or the driver refused the text.
  Error    ///< The launch failed, hung, or took its process along.
};
constexpr size_t kStatuses = 6;
std::string_view name(Status status);

struct Outcome {
  Status status = Status::Identical;
  uint64_t elements = 0; ///< Of the buffers the launch wrote.
  uint64_t differing = 0;
  /// The largest distance in units in the last place, of floating-point
  /// elements that are numbers on both sides.
  uint64_t worstUlps = 0;
  /// The largest |got - expected| / bound, over elements with a bound.
  double worstRatio = 0;
};

/// Takes a buffer's difference into `outcome`. Gives the first differing
/// element in words, or nothing.
std::string compare(const Buffer &expected, const Bytes &got, Outcome &outcome);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_COMPARE_H
