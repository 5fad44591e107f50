//===- SgemmTest.cpp - a tiled matrix product made by nvcc ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

#include <fstream>
#include <sstream>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;

namespace {

TEST(SgemmTest, MatchesTheDefinition) {
  std::ifstream file(CTC_PTX_INPUTS "/sgemm.ptx");
  std::stringstream text;
  text << file.rdbuf();
  GlobalMemory memory;
  auto module = LoadedModule::load(text.str(), memory);
  ASSERT_TRUE(module) << module.error().message;
  // Ragged tiles on every side; small integers, so every sum is exact.
  constexpr uint64_t m = 70, n = 130, k = 37;
  f32s a, b;
  for (uint64_t i = 0; i < m * k; ++i)
    a.push_back(static_cast<float>(i * 7 % 13) - 6);
  for (uint64_t i = 0; i < k * n; ++i)
    b.push_back(static_cast<float>(i * 5 % 11) - 5);
  uint64_t c = upload(memory, f32s{kNaN}, m * n);
  LaunchConfig config;
  config.grid = {3, 2, 1};
  config.block = {16, 16, 1};
  config.parameters =
      parameters({upload(memory, a, a.size()), upload(memory, b, b.size()), c,
                  m | n << 32, k});
  config.parameters.resize(36);
  auto done = (*module)->launch("sgemm", config);
  ASSERT_TRUE(done) << done.error().message;
  const auto *result = reinterpret_cast<const float *>(c);
  for (uint64_t i = 0; i < m; ++i)
    for (uint64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (uint64_t l = 0; l < k; ++l)
        sum += a[i * k + l] * b[l * n + j];
      ASSERT_EQ(result[i * n + j], sum) << i << ", " << j;
    }
}

} // namespace
