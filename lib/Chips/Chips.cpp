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
//
// Boards are products whose matrix units are not cut for the market; they are
// of the vendor's datasheets (A100 80GB SXM, RTX A6000, L40S, H200 SXM, HGX
// B200, RTX PRO 6000 Blackwell Workstation Edition), the rates of matrices of
// the architecture's white papers. What has no published number:
//
//  * l2Bytes is measured on an H200 (8.7 TB/s while reading 40 MB over and
//    over); of the A100 its white paper says 5120 bytes a clock for the chip.
//    The others are assumed to be like the H200.
//  * mmaSyncShare of sm_90a is what "Benchmarking and Dissecting the Nvidia
//    Hopper GPU Architecture via Microbenchmarking" (arXiv 2402.13499)
//    measured; that of sm_100a is assumed to give the rate of sm_80.

// fp32, fp16, fp64, integer, special, matrix tf32, 16, 8, 64, mma.sync, L2
static constexpr ChipRates kRates80 = {64,   128,  32, 64, 16, 512,
                                       1024, 2048, 64, 1,  47};
static constexpr ChipRates kRates86 = {128, 64,   2, 64, 16, 256,
                                       512, 1024, 0, 1,  33};
static constexpr ChipRates kRates90 = {128,  128,  64,  64,   16, 1024,
                                       2048, 4096, 128, 0.63, 33};
static constexpr ChipRates kRates100 = {128,  64,   64, 64,   16, 2048,
                                        4096, 8192, 64, 0.25, 33};
static constexpr ChipRates kRates120 = {128, 64,   2, 128, 16, 256,
                                        512, 1024, 0, 1,   33};

// name, multiprocessors, clock, clock of matrices, bytes of memory
static constexpr Board kA100 = {"A100", 108, 1.41e9, 1.41e9, 2.039e12};
static constexpr Board kA6000 = {"RTX A6000", 84, 1.8e9, 1.8e9, 0.768e12};
static constexpr Board kL40S = {"L40S", 142, 2.52e9, 2.52e9, 0.864e12};
static constexpr Board kH200 = {"H200", 132, 1.98e9, 1.83e9, 4.8e12};
static constexpr Board kB200 = {"B200", 148, 1.965e9, 1.85e9, 8e12};
static constexpr Board kPro6000 = {"RTX PRO 6000", 188, 2.617e9, 2.617e9,
                                   1.792e12};

static constexpr std::array<Chip, 6> kChips{{
    // name, major, minor, a, ptx, shared/block, shared/SM, regs/SM,
    // threads/SM, blocks/SM, first level/SM, rates, board
    {"sm_80", 8, 0, false, 80, 166912, 167936, 65536, 2048, 32, 196608,
     kRates80, kA100},
    {"sm_86", 8, 6, false, 80, 101376, 102400, 65536, 1536, 16, 131072,
     kRates86, kA6000},
    {"sm_89", 8, 9, false, 80, 101376, 102400, 65536, 1536, 24, 131072,
     kRates86, kL40S},
    {"sm_90a", 9, 0, true, 80, 232448, 233472, 65536, 2048, 32, 262144,
     kRates90, kH200},
    {"sm_100a", 10, 0, true, 86, 232448, 233472, 65536, 2048, 32, 262144,
     kRates100, kB200},
    {"sm_120a", 12, 0, true, 87, 101376, 102400, 65536, 1536, 24, 131072,
     kRates120, kPro6000},
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

bool ctc::hasProgrammaticLaunch(const Chip &chip) { return chip.major >= 9; }

bool ctc::runsOn(const Chip &chip, int major, int minor) {
  if (chip.archSpecific)
    return chip.major == major && chip.minor == minor;
  return chip.major == major && chip.minor <= minor;
}
