//===- ClockTest.cpp - Clocks and other special registers -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::Each;
using ::testing::HasSubstr;

namespace {

/// Not recorded: a GPU's clocks are others.
u64s clocks(const std::string &body) {
  return runLanes<uint64_t>(body, 64, /*recorded=*/false, u32s{1, 2, 3, 4});
}

TEST(ClockTest, CountsInstructions) {
  // The third instruction after a read reads three more.
  const std::string later = "add.u32 %t0, %t0, 1; add.u32 %t0, %t0, 1;";
  EXPECT_THAT(clocks("mov.u64 %w0, %clock64;" + later +
                     "mov.u64 %w1, %clock64; sub.u64 %r, %w1, %w0;"),
              Each(3u));
  EXPECT_THAT(clocks("mov.u32 %t1, %clock;" + later +
                     "mov.u32 %t2, %clock; sub.u32 %t2, %t2, %t1;"
                     "cvt.u64.u32 %r, %t2;"),
              Each(3u));
  EXPECT_THAT(clocks("mov.u64 %w0, %globaltimer;" + later +
                     "mov.u64 %w1, %globaltimer; sub.u64 %r, %w1, %w0;"),
              Each(3u));
}

TEST(ClockTest, GoesOnAcrossBlocksAndPaths) {
  // A loop of three turns with three instructions each, between two reads.
  EXPECT_THAT(clocks("mov.u64 %w0, %clock64; mov.u32 %t0, 0;"
                     "NEXT: add.u32 %t0, %t0, 1; setp.lt.u32 %p0, %t0, 3;"
                     "@%p0 bra NEXT; mov.u64 %w1, %clock64;"
                     "sub.u64 %r, %w1, %w0;"),
              Each(11u));
  // Both sides of a branch are issued: what follows reads no less than either.
  EXPECT_THAT(clocks("setp.gt.u32 %p0, %a, 2; @%p0 bra ELSE;"
                     "mov.u64 %w0, %clock64; bra END;"
                     "ELSE: mov.u64 %w0, %clock64;"
                     "END: mov.u64 %w1, %clock64; setp.gt.u64 %p1, %w1, %w0;"
                     "selp.u64 %r, 1, 0, %p1;"),
              Each(1u));
}

TEST(ClockTest, HalvesAndWidths) {
  EXPECT_THAT(clocks("mov.u32 %t0, %clock_hi; mov.u32 %t1, %globaltimer_hi;"
                     "or.b32 %t0, %t0, %t1; cvt.u64.u32 %r, %t0;"),
              Each(0u));
  EXPECT_THAT(clocks("mov.u64 %w0, %globaltimer; mov.u32 %t0, %globaltimer_lo;"
                     "cvt.u64.u32 %w1, %t0; sub.u64 %r, %w1, %w0;"),
              Each(1u));
  EXPECT_THAT(loadMessage(kernel("mov.u32 %t0, %clock64;")),
              HasSubstr("'%clock64' has 64 bits"));
  EXPECT_THAT(loadMessage(kernel("mov.u64 %w0, %clock;")),
              HasSubstr("'%clock' has 32 bits"));
  EXPECT_THAT(loadMessage(kernel("mov.u32 %t0, %globaltimer;")),
              HasSubstr("'%globaltimer' has 64 bits"));
}

TEST(ClockTest, TheSameLaunchReadsTheSame) {
  const std::string read = "mov.u64 %r, %clock64;";
  EXPECT_EQ(clocks(read), clocks(read));
}

TEST(ClockTest, OtherSpecialRegisters) {
  EXPECT_THAT(clocks("mov.u64 %r, %current_graph_exec;"), Each(0u));
  EXPECT_THAT(clocks(".shared .b8 box[48]; mov.u32 %t0, box;"
                     "mov.u32 %t0, %aggr_smem_size; cvt.u64.u32 %r, %t0;"),
              Each(48u));
  for (const char *name : {"%envreg3", "%pm0", "%reserved_smem_offset_begin"})
    EXPECT_THAT(
        loadMessage(kernel("mov.u32 %t0, " + std::string(name) + ";")),
        HasSubstr("'" + std::string(name) +
                  "' is neither a declared register nor a special register"));
}

} // namespace
