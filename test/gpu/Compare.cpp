//===- Compare.cpp - How far two buffers differ ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"
#include "ctc/Support/Float.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace ctc;
using namespace ctc::gpu;

namespace {

/// The layout of a floating-point format in its bits.
struct Layout {
  unsigned bits, fraction;
};

bool isFloat(Element element) { return element >= Element::F16; }

Layout layoutOf(Element element) {
  switch (element) {
  case Element::F16:
    return {16, 10};
  case Element::BF16:
    return {16, 7};
  case Element::F64:
    return {64, 52};
  default:
    return {32, 23};
  }
}

double valueOf(uint64_t bits, Element element) {
  if (element == Element::F64)
    return std::bit_cast<double>(bits);
  return decode(static_cast<uint32_t>(bits), element == Element::F16    ? kF16
                                             : element == Element::BF16 ? kBF16
                                                                        : kF32);
}

uint64_t load(const Bytes &bytes, size_t index, Element element) {
  const size_t size = bytesOf(element);
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + index * size, size);
  return value;
}

uint64_t magnitude(uint64_t bits, Layout layout) {
  return bits & ((uint64_t(1) << (layout.bits - 1)) - 1);
}

bool isNaN(uint64_t bits, Layout layout) {
  const unsigned exponentBits = layout.bits - 1 - layout.fraction;
  const uint64_t infinity = ((uint64_t(1) << exponentBits) - 1)
                            << layout.fraction;
  return magnitude(bits, layout) > infinity;
}

/// How many representable values lie between two; +0 and -0 are the same.
uint64_t ulpsBetween(uint64_t a, uint64_t b, Layout layout) {
  auto ordered = [&](uint64_t bits) {
    const auto size = static_cast<int64_t>(magnitude(bits, layout));
    return bits >> (layout.bits - 1) ? -size : size;
  };
  const int64_t x = ordered(a), y = ordered(b);
  return x > y ? uint64_t(x) - uint64_t(y) : uint64_t(y) - uint64_t(x);
}

/// One differing element: its status, and its distance into `outcome`.
Status judge(uint64_t expected, uint64_t got, Element element,
             const double *bound, Outcome &outcome) {
  if (!isFloat(element))
    return Status::Differs;
  const Layout layout = layoutOf(element);
  if (isNaN(expected, layout) || isNaN(got, layout))
    return isNaN(expected, layout) && isNaN(got, layout) ? Status::NaNPayload
                                                         : Status::Differs;
  outcome.worstUlps =
      std::max(outcome.worstUlps, ulpsBetween(expected, got, layout));
  if (!bound)
    return Status::Differs;
  const double error =
      std::abs(valueOf(got, element) - valueOf(expected, element));
  const double ratio = error == 0 ? 0 : error / *bound;
  outcome.worstRatio = std::max(outcome.worstRatio, ratio);
  return ratio <= 1 ? Status::WithinBound : Status::Differs;
}

std::string describe(uint64_t bits, Element element) {
  char text[64];
  std::snprintf(text, sizeof text, "0x%0*llx", int(2 * bytesOf(element)),
                static_cast<unsigned long long>(bits));
  std::string result = text;
  if (isFloat(element)) {
    std::snprintf(text, sizeof text, " (%.9g)", valueOf(bits, element));
    result += text;
  }
  return result;
}

} // namespace

std::string_view gpu::name(Status status) {
  constexpr std::string_view names[kStatuses] = {"identical",    "nan payload",
                                                 "within bound", "differs",
                                                 "refused",      "error"};
  return names[static_cast<size_t>(status)];
}

std::string gpu::compare(const Buffer &expected, const Bytes &got,
                         Outcome &outcome) {
  const size_t count = expected.after.size() / bytesOf(expected.element);
  if (expected.before != expected.after)
    outcome.elements += count;
  if (got == expected.after)
    return "";
  std::string first;
  Status firstStatus = Status::Identical;
  for (size_t i = 0; i < count; ++i) {
    const uint64_t want = load(expected.after, i, expected.element),
                   have = load(got, i, expected.element);
    if (want == have)
      continue;
    ++outcome.differing;
    const Status status =
        judge(want, have, expected.element,
              expected.bound.empty() ? nullptr : &expected.bound[i], outcome);
    outcome.status = std::max(outcome.status, status);
    if (status > firstStatus) { // The first of the worst kind.
      firstStatus = status;
      first = "element " + std::to_string(i) + " is " +
              describe(have, expected.element) + ", the PTX machine has " +
              describe(want, expected.element);
    }
  }
  return first;
}
