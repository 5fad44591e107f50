//===- PtxMutation.h - Slightly wrong PTX -----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bytes alone rarely get past a lexer. These mutations know what PTX is made of
// (lines and words), so that much of what they make loads and runs.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_FUZZ_PTXMUTATION_H
#define CTC_TEST_FUZZ_PTXMUTATION_H

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace ctc::ptx::testing {

/// `text` with one to four changes: a byte, a word by another word of the
/// text, a number by an unusual one, or lines removed, repeated or swapped. The
/// same generator state gives the same text.
std::string mutate(std::string_view text, std::mt19937_64 &random);

/// Loads `text`; runs every kernel it has on a block of two warps, with memory
/// behind 64-bit parameters, in bounded time. What comes back does not matter;
/// that it comes back does. Whether the text was loaded.
bool loadAndRun(std::string_view text, bool checkMemory);

} // namespace ctc::ptx::testing

#endif // CTC_TEST_FUZZ_PTXMUTATION_H
