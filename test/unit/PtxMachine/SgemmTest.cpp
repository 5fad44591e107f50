//===- SgemmTest.cpp - a tiled matrix product made by nvcc ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
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
  // Ragged tiles on every side; small integers, so every sum is exact.
  constexpr uint64_t m = 70, n = 130, k = 37;
  f32s a, b;
  for (uint64_t i = 0; i < m * k; ++i)
    a.push_back(static_cast<float>(i * 7 % 13) - 6);
  for (uint64_t i = 0; i < k * n; ++i)
    b.push_back(static_cast<float>(i * 5 % 11) - 5);
  KernelRun run(text.str(), "sgemm");
  run.buffer(a);
  run.buffer(b);
  const size_t c = run.buffer(f32s(m * n, kNaN));
  for (uint64_t value : {m, n, k})
    run.scalar(static_cast<uint32_t>(value));
  run.config.grid = {3, 2, 1};
  run.config.block = {16, 16, 1};
  ASSERT_TRUE(run.launch());
  const f32s result = run.read<float>(c);
  for (uint64_t i = 0; i < m; ++i)
    for (uint64_t j = 0; j < n; ++j) {
      float sum = 0;
      for (uint64_t l = 0; l < k; ++l)
        sum += a[i * k + l] * b[l * n + j];
      ASSERT_EQ(result[i * n + j], sum) << i << ", " << j;
    }
}

} // namespace
