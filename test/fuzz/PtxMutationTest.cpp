//===- PtxMutationTest.cpp - Mutated PTX never crashes the machine --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A fixed number of mutations of every PTX file of the unit tests, the same in
// every run. The fuzzer goes further; this is what every test run repeats.
//
//===----------------------------------------------------------------------===//

#include "PtxMutation.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <vector>

using namespace ctc::ptx::testing;

namespace {

constexpr unsigned kInputs = 4000; ///< Of all seeds together.

std::vector<std::filesystem::path> seeds() {
  std::vector<std::filesystem::path> files;
  for (const auto &entry :
       std::filesystem::recursive_directory_iterator(CTC_PTX_SEEDS))
    if (entry.path().extension() == ".ptx")
      files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string readText(const std::filesystem::path &path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(PtxMutationTest, MutatedPtxIsRunOrRefused) {
  const auto files = seeds();
  ASSERT_FALSE(files.empty());
  unsigned loaded = 0;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string text = readText(files[i]);
    EXPECT_TRUE(loadAndRun(text, false)) << files[i];
    std::mt19937_64 random(i);
    for (unsigned k = 0; k < kInputs / files.size(); ++k)
      loaded += loadAndRun(mutate(text, random), /*checkMemory=*/k % 2);
  }
  // Mutations that never load would test the parser only.
  EXPECT_GT(loaded, kInputs / 20);
  RecordProperty("loaded", static_cast<int>(loaded));
}

TEST(PtxMutationTest, RandomBytesAreRefused) {
  std::mt19937_64 random(7);
  for (unsigned i = 0; i < 2000; ++i) {
    std::string text(random() % 400, ' ');
    for (char &c : text)
      c = static_cast<char>(random());
    loadAndRun(text, false);
    loadAndRun(".version 8.6\n.target sm_90a\n.address_size 64\n" + text,
               false);
  }
}

} // namespace
