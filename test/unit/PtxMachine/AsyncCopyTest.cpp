//===- AsyncCopyTest.cpp - cp.async ---------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

#include <numeric>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Copies from 32 words (100 + i) into shared memory by `copy` (destination
/// %w1, source %w2, per thread of 4), then gives back shared memory.
std::vector<uint32_t> copied(const std::string &copy) {
  u32s words(32);
  std::iota(words.begin(), words.begin() + 16, 100);
  KernelRun run(
      kernel("ld.param.u64 %w0, [data]; mov.u32 %t0, %tid.x; mov.u64 %w3, tile;"
             "mad.wide.u32 %w1, %t0, 16, %w3; mad.wide.u32 %w2, %t0, 16, %w0;"
             "st.shared.v4.u32 [%w1], {7, 7, 7, 7};" +
                 copy +
                 "cp.async.commit_group; cp.async.wait_group 0; bar.sync 0;"
                 "ld.shared.v4.u32 {%t1, %t2, %t3, %t4}, [%w1];"
                 "st.global.v4.u32 [%w2+64], {%t1, %t2, %t3, %t4};",
             ".param .u64 data", ".shared .align 16 .b8 tile[64];"),
      "k");
  const size_t data = run.buffer(words);
  run.config.block.x = 4;
  EXPECT_TRUE(run.launch());
  words = run.read<uint32_t>(data);
  return {words.begin() + 16, words.end()};
}

TEST(AsyncCopyTest, Sizes) {
  auto all = copied("cp.async.cg.shared.global [%w1], [%w2], 16;");
  for (uint32_t i = 0; i < 16; ++i)
    EXPECT_EQ(all[i], 100 + i);
  auto some = copied("cp.async.ca.shared.global [%w1+4], [%w2+8], 4;"
                     "cp.async.ca.shared.global.L2::128B [%w1+8], [%w2], 8;");
  EXPECT_THAT(u32s(some.begin(), some.begin() + 8),
              ElementsAre(7, 102, 100, 101, 7, 106, 104, 105));
}

TEST(AsyncCopyTest, SourceSizeFillsWithZeros) {
  auto data = copied("mul.lo.u32 %t1, %t0, 5;"
                     "cp.async.cg.shared.global [%w1], [%w2], 16, %t1;");
  // 0, 5, 10 and 15 bytes are read.
  EXPECT_THAT(data, ElementsAre(0, 0, 0, 0, 104, 105, 0, 0, 108, 109, 110, 0,
                                112, 113, 114, 115));
}

TEST(AsyncCopyTest, TheSourceIsNoLongerThanTheCopy) {
  EXPECT_THAT(
      runMessage(kernel("mov.u32 %t0, tile; mov.u32 %t1, 9; mov.u64 %w0, 0;"
                        "cp.async.ca.shared.global [%t0], [%w0], 8, %t1;",
                        "", ".shared .align 16 .b8 tile[16];")),
      HasSubstr("a source of 9 bytes for a copy of 8; legal are 0 to 8"));
}

TEST(AsyncCopyTest, AnIgnoredSourceIsNotRead) {
  auto data = copied("setp.ge.u32 %p0, %t0, 2; @%p0 mov.u64 %w2, 0;"
                     "cp.async.ca.shared.global [%w1], [%w2], 16, %p0;"
                     "mad.wide.u32 %w2, %t0, 16, %w0;");
  EXPECT_THAT(data, ElementsAre(100, 101, 102, 103, 104, 105, 106, 107, 0, 0, 0,
                                0, 0, 0, 0, 0));
  // Nor is a source of size 0.
  EXPECT_THAT(copied("mov.u64 %w2, 0; mov.u32 %t1, 0;"
                     "cp.async.cg.shared.global [%w1], [%w2], 16, %t1;"
                     "mad.wide.u32 %w2, %t0, 16, %w0;"),
              ::testing::Each(0u));
}

TEST(AsyncCopyTest, FaultsNameTheSide) {
  const std::string tile = ".shared .align 16 .b8 tile[64];";
  EXPECT_THAT(runMessage(kernel("mov.u64 %w0, tile; mov.u64 %w1, 4096;"
                                "cp.async.ca.shared.global [%w0], [%w1], 4;",
                                "", tile)),
              HasSubstr("asynchronous copy from global memory of 4 bytes at "
                        "0x1000 is outside every allocation"));
  EXPECT_THAT(runMessage(kernel("mov.u64 %w0, tile; mov.u64 %w1, 4096;"
                                "cp.async.ca.shared.global [%w0+64], [%w1], 4;",
                                "", tile)),
              HasSubstr("asynchronous copy to shared memory of 4 bytes at 0x40 "
                        "is outside the block's 64 bytes"));
}

} // namespace
