//===- PtxMachineFuzzer.cpp - libFuzzer on the PTX machine ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Coverage-guided: half of the new inputs come from libFuzzer's own mutations
// of bytes, half from those that know PTX. docs/PtxMachine.md, "Fuzzing", tells
// how to run it.
//
//===----------------------------------------------------------------------===//

#include "PtxMutation.h"

#include <algorithm>
#include <cstring>

using namespace ctc::ptx::testing;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t maxSize);

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t maxSize, unsigned seed) {
  if (seed % 2)
    return LLVMFuzzerMutate(data, size, maxSize);
  std::mt19937_64 random(seed);
  std::string text =
      mutate({reinterpret_cast<const char *>(data), size}, random);
  size = std::min(text.size(), maxSize);
  std::memcpy(data, text.data(), size);
  return size;
}

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  loadAndRun(text, /*checkMemory=*/size % 2);
  return 0;
}
