//===- Compare.cpp - How far two buffers differ ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>

using namespace ctc;
using namespace ctc::gpu;

namespace {

/// The layout of a floating-point format in its bits.
struct Format {
  unsigned bits, fraction;
};

bool isFloat(Element element) { return element >= Element::F16; }

Format formatOf(Element element) {
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

uint64_t load(const Bytes &bytes, size_t index, Element element) {
  const size_t size = bytesOf(element);
  uint64_t value = 0;
  std::memcpy(&value, bytes.data() + index * size, size);
  return value;
}

uint64_t magnitude(uint64_t bits, Format format) {
  return bits & ((uint64_t(1) << (format.bits - 1)) - 1);
}

bool isNaN(uint64_t bits, Format format) {
  const unsigned exponentBits = format.bits - 1 - format.fraction;
  const uint64_t infinity = ((uint64_t(1) << exponentBits) - 1)
                            << format.fraction;
  return magnitude(bits, format) > infinity;
}

/// How many representable values lie between two; +0 and -0 are the same.
uint64_t ulpsBetween(uint64_t a, uint64_t b, Format format) {
  auto ordered = [&](uint64_t bits) {
    const auto size = static_cast<int64_t>(magnitude(bits, format));
    return bits >> (format.bits - 1) ? -size : size;
  };
  const int64_t x = ordered(a), y = ordered(b);
  return x > y ? uint64_t(x) - uint64_t(y) : uint64_t(y) - uint64_t(x);
}

double valueOf(uint64_t bits, Format format) {
  if (format.bits == 64)
    return std::bit_cast<double>(bits);
  const unsigned exponentBits = format.bits - 1 - format.fraction;
  const uint64_t fraction = bits & ((uint64_t(1) << format.fraction) - 1);
  const int biased =
      static_cast<int>(magnitude(bits, format) >> format.fraction);
  const int most = (1 << exponentBits) - 1, bias = most >> 1;
  const int shift = static_cast<int>(format.fraction);
  double value;
  if (biased == most)
    value = fraction ? std::nan("") : HUGE_VAL;
  else if (biased == 0)
    value = std::ldexp(double(fraction), 1 - bias - shift);
  else
    value = std::ldexp(double(fraction + (uint64_t(1) << shift)),
                       biased - bias - shift);
  return bits >> (format.bits - 1) ? -value : value;
}

/// One differing element: its status, and its distance into `outcome`.
Status judge(uint64_t expected, uint64_t got, Element element,
             const double *bound, Outcome &outcome) {
  if (!isFloat(element))
    return Status::Differs;
  const Format format = formatOf(element);
  if (isNaN(expected, format) || isNaN(got, format))
    return isNaN(expected, format) && isNaN(got, format) ? Status::NaNPayload
                                                         : Status::Differs;
  outcome.worstUlps =
      std::max(outcome.worstUlps, ulpsBetween(expected, got, format));
  if (!bound)
    return Status::Differs;
  const double error =
      std::abs(valueOf(got, format) - valueOf(expected, format));
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
    std::snprintf(text, sizeof text, " (%.9g)",
                  valueOf(bits, formatOf(element)));
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
