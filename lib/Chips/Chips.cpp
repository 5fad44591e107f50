//===- Chips.cpp - The chips ctc compiles for -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Chips/Chips.h"

#include <array>

using namespace ctc;

// The PTX versions are LLVM's least for each chip, except that everything below
// sm_90a takes 8.0 so that one assembler baseline serves them all.
static constexpr std::array<Chip, 6> kChips{{
    // name, major, minor, a, ptx, shared/block, shared/SM, regs/SM, threads/SM
    {"sm_80", 8, 0, false, 80, 166912, 167936, 65536, 2048},
    {"sm_86", 8, 6, false, 80, 101376, 102400, 65536, 1536},
    {"sm_89", 8, 9, false, 80, 101376, 102400, 65536, 1536},
    {"sm_90a", 9, 0, true, 80, 232448, 233472, 65536, 2048},
    {"sm_100a", 10, 0, true, 86, 232448, 233472, 65536, 2048},
    {"sm_120a", 12, 0, true, 87, 101376, 102400, 65536, 1536},
}};

std::span<const Chip> ctc::allChips() { return kChips; }

std::optional<Chip> ctc::findChip(std::string_view name) {
  for (const Chip &chip : kChips)
    if (chip.name == name)
      return chip;
  return std::nullopt;
}

std::string ctc::listChips() {
  std::string text;
  for (const Chip &chip : kChips) {
    if (!text.empty())
      text += ", ";
    text += chip.name;
  }
  return text;
}

bool ctc::runsOn(const Chip &chip, int major, int minor) {
  if (chip.archSpecific)
    return chip.major == major && chip.minor == minor;
  return chip.major == major && chip.minor <= minor;
}
