//===- CounterNames.cpp - The names of classes and units ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/PtxMachine/Counters.h"

#include <array>

namespace ctc::ptx {

const char *name(InstructionClass kind) {
  static constexpr std::array<const char *, kInstructionClasses> kNames = {
      "fp32",         "fp16",          "fp64",
      "special",      "integer",       "convert",
      "compare",      "move",          "exchange",
      "mma",          "wgmma",         "global load",
      "global store", "shared load",   "shared store",
      "local access", "constant load", "generic access",
      "atomic",       "async copy",    "synchronize",
      "control",      "other"};
  return kNames[static_cast<size_t>(kind)];
}

const char *name(MultiplyUnit unit) {
  static constexpr std::array<const char *, kMultiplyUnits> kNames = {
      "none",      "fp32",       "fp16",         "fp64",
      "integer",   "mma fp64",   "mma tf32",     "mma 16-bit",
      "mma 8-bit", "wgmma tf32", "wgmma 16-bit", "wgmma 8-bit"};
  return kNames[static_cast<size_t>(unit)];
}

} // namespace ctc::ptx
