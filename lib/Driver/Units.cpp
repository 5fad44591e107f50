//===- Units.cpp - Numbers for people -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Units.h"

#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace ctc;
using llvm::formatv;

static std::string scaled(double value, double base, const char *const *units) {
  const char *const *unit = units;
  for (; value >= base && unit[1]; ++unit)
    value /= base;
  std::string text = unit == units && std::floor(value) == value
                         ? formatv("{0:f0}", value).str()
                         : formatv("{0:f2}", value).str();
  return **unit ? text + " " + *unit : text;
}

std::string driver::countText(double count) {
  static const char *const units[] = {"", "K", "M", "G", "T", nullptr};
  return scaled(count, 1000, units);
}

std::string driver::byteText(double bytes) {
  static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", nullptr};
  return scaled(bytes, 1024, units);
}

std::string driver::timeText(double seconds) {
  static const char *const units[] = {"ns", "us", "ms", "s", nullptr};
  return scaled(seconds * 1e9, 1000, units);
}
