//===- MemoryTest.cpp - ld, st, address spaces ----------------------------===//
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

/// Threads 0 to 31 load with `body` (address in %a, 8 * thread on the data).
TEST(MemoryTest, WidthsExtend) {
  EXPECT_THAT(lanes<int32_t>("cvt.u64.u32 %w0, %a;"
                             ".reg .b64 %x; .local .align 8 .b8 buffer[8];"
                             "mov.u64 %x, buffer; st.local.u32 [%x], %a;"
                             "ld.local.s8 %r, [%x+1];",
                             u32s{0x80ff, 0x7fff}),
              ElementsAre(-128, 127));
  EXPECT_THAT(lanes<uint64_t>(".local .align 8 .b8 buffer[8];"
                              "st.local.u32 [buffer], %a;"
                              "ld.local.s16 %r, [buffer];",
                              u32s{0xffff, 0x18000}),
              ElementsAre(~uint64_t(0), uint64_t(-32768)));
  EXPECT_THAT(lanes<uint16_t>(".local .align 8 .b8 buffer[8];"
                              "st.local.u32 [buffer], %a;"
                              "ld.local.u8 %r, [buffer+3];",
                              u32s{0xab000000}),
              ElementsAre(0xab));
  // A narrow store from a wide register.
  EXPECT_THAT(lanes<uint64_t>(".local .align 8 .b8 buffer[8];"
                              "st.local.u64 [buffer], -1;"
                              "st.local.u16 [buffer+2], %a;"
                              "ld.local.u64 %r, [buffer];",
                              u64s{0x1234567812345678}),
              ElementsAre(0xffffffff5678ffff));
}

TEST(MemoryTest, LocalMemoryIsPerThread) {
  EXPECT_THAT(lanes<uint32_t>(".local .align 16 .b8 buffer[32];"
                              "mov.u64 %w0, buffer; cvta.local.u64 %w1, %w0;"
                              "st.u32 [%w1+4], %a;" // Generic.
                              "ld.local.u32 %r, [%w0+4];",
                              u32s{1, 2, 3, 4}),
              ElementsAre(1, 2, 3, 4));
}

/// Writes 64 words of `pattern(i)`, runs `body` in 32 threads with the address
/// of the data in %w0 and the thread in %t0, and gives back the data.
std::vector<uint32_t> onData(const std::string &body) {
  u32s words(64);
  std::iota(words.begin(), words.end(), 100);
  KernelRun run(
      kernel(".reg .b32 %v<8>; ld.param.u64 %w0, [data]; mov.u32 %t0, %tid.x;" +
                 body,
             ".param .u64 data",
             ".shared .align 16 .b8 tile[4096];\n"
             ".const .align 4 .b32 table[4] = {10, 20, 30, 40};"),
      "k");
  const size_t data = run.buffer(words);
  run.config.block.x = 32;
  EXPECT_TRUE(run.launch());
  return run.read<uint32_t>(data);
}

constexpr const char *kByThread = "mad.wide.u32 %w1, %t0, 4, %w0;";

TEST(MemoryTest, ConsecutiveUniformAndScattered) {
  auto copied =
      onData(std::string(kByThread) +
             "ld.global.u32 %t1, [%w1]; st.global.u32 [%w1+128], %t1;");
  auto uniform =
      onData(std::string(kByThread) +
             "ld.global.u32 %t1, [%w0+8]; st.global.u32 [%w1], %t1;");
  auto reversed = onData(std::string(kByThread) +
                         "sub.u32 %t2, 31, %t0; mad.wide.u32 %w2, %t2, 4, %w0;"
                         "ld.global.nc.L1::no_allocate.L2::128B.b32 %t1, [%w2];"
                         "st.global.b32 [%w1+128], %t1;");
  for (uint32_t i = 0; i < 32; ++i) {
    EXPECT_EQ(copied[32 + i], 100 + i);
    EXPECT_EQ(uniform[i], 102u);
    EXPECT_EQ(reversed[32 + i], 131 - i);
  }
}

TEST(MemoryTest, Vectors) {
  auto swapped = onData("mad.wide.u32 %w1, %t0, 8, %w0;"
                        "ld.global.v2.u32 {%t1, %t2}, [%w1];"
                        "st.global.v2.u32 [%w1], {%t2, %t1};");
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(swapped[i], 100 + (i ^ 1));
  auto reversed =
      onData("mad.wide.u32 %w1, %t0, 16, %w0; setp.lt.u32 %p0, %t0, 16;"
             "@%p0 ld.global.v4.b32 {%t1, %t2, %t3, %t4}, [%w1];"
             "@%p0 st.global.v4.b32 [%w1], {%t4, %t3, %t2, %t1};");
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(reversed[i], 100 + (i ^ 3));
  auto eight =
      onData("mad.wide.u32 %w1, %t0, 32, %w0; setp.lt.u32 %p0, %t0, 8;"
             "@%p0 ld.global.v8.b32 {%v0,%v1,%v2,%v3,%v4,%v5,%v6,%v7}, [%w1];"
             "@%p0 st.global.v8.b32 [%w1], {%v7,%v6,%v5,%v4,%v3,%v2,%v1,%v0};");
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(eight[i], 100 + (i ^ 7));
}

TEST(MemoryTest, SharedBothAddressWidthsAndGeneric) {
  auto data =
      onData(std::string(kByThread) +
             "mov.u32 %t1, tile; shl.b32 %t2, %t0, 2; add.u32 %t1, %t1, %t2;"
             "st.shared.u32 [%t1], %t0; bar.sync 0;"
             "mov.u64 %w2, tile; ld.shared.u32 %t3, [%w2+20];"
             "cvta.shared.u64 %w3, %w2; ld.u32 %t4, [%w3+24];"
             "isspacep.shared %p0, %w3; isspacep.global %p1, %w0;"
             "selp.u32 %t5, 1000, 0, %p0; selp.u32 %t6, 2000, 0, %p1;"
             "add.u32 %t3, %t3, %t4; add.u32 %t3, %t3, %t5;"
             "add.u32 %t3, %t3, %t6; st.global.u32 [%w1], %t3;");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(data[i], 3011u);
}

TEST(MemoryTest, ConstantsAndParametersByGenericAddress) {
  auto data = onData(std::string(kByThread) +
                     "and.b32 %t1, %t0, 3; mov.u64 %w2, table;"
                     "mad.wide.u32 %w3, %t1, 4, %w2; ld.const.u32 %t2, [%w3];"
                     "cvta.const.u64 %w4, %w3; ld.u32 %t3, [%w4];"
                     "mov.b64 %w5, data; cvta.param.u64 %w6, %w5;"
                     "ld.u64 %w7, [%w6]; setp.eq.u64 %p0, %w7, %w0;"
                     "selp.u32 %t4, 1, 0, %p0; add.u32 %t2, %t2, %t3;"
                     "add.u32 %t2, %t2, %t4; st.global.u32 [%w1], %t2;");
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(data[i], 2 * 10 * (i % 4 + 1) + 1);
}

TEST(MemoryTest, AllocationsAreFoundAndFreed) {
  GlobalMemory memory;
  uint64_t address = *memory.allocate(100);
  EXPECT_EQ(address % 256, 0u);
  EXPECT_TRUE(memory.contains(address, 100));
  EXPECT_FALSE(memory.contains(address, 101));
  EXPECT_FALSE(memory.contains(address - 1, 2));
  EXPECT_TRUE(memory.free(address));
  EXPECT_FALSE(memory.contains(address, 1));
  EXPECT_THAT(memory.free(7).error().message,
              "address 0x7 is not the start of an allocation of this memory");
  EXPECT_TRUE(memory.allocate(0));
}

TEST(MemoryTest, SparseTensorOfMoreThanTwoToThe31Elements) {
  GlobalMemory memory;
  auto huge = memory.allocate(uint64_t(4) << 34);
  ASSERT_TRUE(huge) << huge.error().message;
  uint64_t last = *huge + (uint64_t(4) << 34) - 4;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w0, [at]; st.global.u32 [%w0], 77;",
             ".param .u64 at"),
      memory);
  LaunchConfig config;
  config.parameters = parameters({last});
  EXPECT_TRUE((*module)->launch("k", config));
  EXPECT_EQ(*reinterpret_cast<uint32_t *>(last), 77u);
}

} // namespace
