//===- AtomicTest.cpp - atom and red --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

/// Runs `body` in 64 threads of 4 blocks with the address of the words (%w0),
/// %t0 = thread + 64 * block; gives the words back.
u32s onWords(const std::string &body, u32s words, unsigned blocks = 4,
             unsigned threads = 64) {
  KernelRun run(kernel("ld.param.u64 %w0, [data]; mov.u32 %t0, %tid.x;"
                       "mov.u32 %t1, %ctaid.x; mad.lo.u32 %t0, %t1, 64, %t0;" +
                           body,
                       ".param .u64 data", ".shared .align 8 .b8 tile[64];"),
                "k");
  words.resize(std::max<size_t>(words.size(), 4));
  const size_t data = run.buffer(words);
  run.config.grid.x = blocks;
  run.config.block.x = threads;
  run.config.hostThreads = 2;
  EXPECT_TRUE(run.launch()) << body;
  return run.read<uint32_t>(data);
}

TEST(AtomicTest, IntegerOperations) {
  EXPECT_EQ(onWords("atom.global.add.u32 %t2, [%w0], %t0;", {0})[0],
            255u * 256 / 2);
  EXPECT_EQ(
      onWords("red.global.gpu.relaxed.max.s32 [%w0], %t0;", {uint32_t(-5)})[0],
      255u);
  EXPECT_EQ(onWords("red.min.u32 [%w0+4], %t0;", {0, 77})[1], 0u);
  EXPECT_EQ(onWords("atom.inc.u32 %t2, [%w0], 9;", {0})[0], 256u % 10);
  EXPECT_EQ(onWords("atom.dec.u32 %t2, [%w0], 9;", {0})[0], 4u);
  EXPECT_EQ(onWords("and.b32 %t2, %t0, 31; shl.b32 %t2, 1, %t2;"
                    "red.or.b32 [%w0], %t2;",
                    {0})[0],
            0xffffffffu);
  auto wide = onWords("atom.global.add.u64 %w1, [%w0], 0x100000001;", {0, 0});
  EXPECT_EQ(wide[0], 256u);
  EXPECT_EQ(wide[1], 256u);
}

TEST(AtomicTest, ExchangeAndCompareAndSwap) {
  // A lock-free sum of squares by compare-and-swap in every thread.
  EXPECT_EQ(onWords(R"(
    mul.lo.u32 %t3, %t0, %t0;
    ld.global.u32 %t4, [%w0];
  AGAIN:
    mov.u32 %t5, %t4;
    add.u32 %t6, %t5, %t3;
    atom.global.cas.b32 %t4, [%w0], %t5, %t6;
    setp.ne.u32 %p0, %t4, %t5;
    @%p0 bra AGAIN;)",
                    {0})[0],
            255u * 256 * 511 / 6);
  EXPECT_EQ(onWords("atom.exch.b32 %t2, [%w0], 5;", {1})[0], 5u);
}

TEST(AtomicTest, FloatsAndSharedMemory) {
  EXPECT_EQ(onWords("red.global.add.f32 [%w0], 0f3F000000;", {0})[0],
            bits(128.0f));
  EXPECT_EQ(onWords("mov.b32 %t3, 0; atom.add.noftz.f16x2 %t2, [%w0], %t3;",
                    {0x3c004000})[0],
            0x3c004000u);
  EXPECT_EQ(onWords(R"(
    mov.u64 %w1, tile;
    mov.u32 %t4, %tid.x;
    setp.eq.u32 %p0, %t4, 0;
    @%p0 st.shared.u32 [%w1], 0;
    bar.sync 0;
    atom.shared.add.u32 %t2, [%w1], 3;
    bar.sync 0;
    ld.shared.u32 %t3, [%w1];
    @%p0 st.global.u32 [%w0], %t3;)",
                    {0})[0],
            192u);
}

/// One thread adds to one element; the words afterwards.
u32s once(const std::string &body, u32s words) {
  return onWords(body, std::move(words), 1, 1);
}

TEST(AtomicTest, SubnormalFloats) {
  // In global memory they count as zeros, in shared memory they stay.
  EXPECT_EQ(once("red.global.add.f32 [%w0], 0f00000001;", {0x00000003})[0], 0u);
  EXPECT_EQ(once("red.add.f32 [%w0], 0f80000001;", {0x80000003})[0],
            0x80000000u);
  EXPECT_EQ(once("red.add.f32 [%w0], 0f80800001;", {0x00800000})[0],
            0x80000000u);
  EXPECT_THAT(once("red.global.add.v2.f32 [%w0], {0f00000001, 0f3F800000};",
                   {0x00000003, 0x80000001}),
              ElementsAre(0, bits(1.0f), 0, 0));
  const std::string inShared = R"(
    mov.u64 %w1, tile; st.shared.u32 [%w1], 3; cvta.shared.u64 %w2, %w1;
    atom.shared.add.f32 %t2, [%w1], 0f00000001;
    atom.add.f32 %t2, [%w2], 0f00000001;
    ld.shared.u32 %t3, [%w1]; st.global.u32 [%w0], %t3;)";
  EXPECT_EQ(once(inShared, {0})[0], 5u);
  EXPECT_EQ(
      once("mov.b32 %t3, 0; red.add.noftz.f16x2 [%w0], %t3;", {0x00018001})[0],
      0x00018001u);
  EXPECT_EQ(once("mov.b64 %w1, 0; red.add.f64 [%w0], %w1;", {3, 0})[0], 3u);
}

TEST(AtomicTest, RoundingAndNaN) {
  // 2048 + 1 is a tie in f16, 256 + 1 one in bf16.
  EXPECT_EQ(once("mov.b32 %t2, 0x3c003c00;"
                 "red.global.add.noftz.f16x2 [%w0], %t2;",
                 {0x68006801})[0],
            0x68006802u);
  EXPECT_EQ(once("mov.b32 %t2, 0x3f803f80;"
                 "red.global.add.noftz.bf16x2 [%w0], %t2;",
                 {0x43804381})[0],
            0x43804382u);
  EXPECT_EQ(once("mov.b32 %t2, 0x7c003c00;"
                 "red.global.add.noftz.f16x2 [%w0], %t2;",
                 {0xfc007c01})[0],
            0x7fff7fffu);
  EXPECT_EQ(once("red.global.add.f32 [%w0], 0fFF800000;", {0x7f800000})[0],
            kCanonicalNaN);
  EXPECT_EQ(once("red.global.add.f32 [%w0], 0f3F800000;", {0x7f800123})[0],
            kCanonicalNaN);
}

TEST(AtomicTest, Vectors) {
  EXPECT_THAT(
      onWords("red.global.add.v4.f32 [%w0], {0f3F800000, 0f40000000, "
              "0f40400000, 0fBF800000};",
              {0, 0, 0, 0x41200000}),
      ElementsAre(bits(256.0f), bits(512.0f), bits(768.0f), bits(-246.0f)));
  // Old values of one thread; they may go where other elements come from.
  EXPECT_THAT(once(R"(
    .reg .f32 %f<2>; mov.f32 %f0, 0f3F800000; mov.f32 %f1, 0f40000000;
    atom.global.v2.f32.add {%f1, %f0}, [%w0], {%f0, %f1};
    st.global.v2.f32 [%w0+8], {%f1, %f0};)",
                   {bits(5.0f), bits(7.0f), 0, 0}),
              ElementsAre(bits(6.0f), bits(9.0f), bits(5.0f), bits(7.0f)));
  // Eight halves, and packed ones: 1 to 8, each 256 times in f16.
  const std::string eight = R"(
    .reg .b16 %q<8>;
    mov.b16 %q0, 0x3c00; mov.b16 %q1, 0x4000; mov.b16 %q2, 0x4200;
    mov.b16 %q3, 0x4400; mov.b16 %q4, 0x4500; mov.b16 %q5, 0x4600;
    mov.b16 %q6, 0x4700; mov.b16 %q7, 0x4800;
    red.global.v8.f16.add.noftz [%w0], {%q0, %q1, %q2, %q3, %q4, %q5, %q6, %q7};)";
  EXPECT_THAT(onWords(eight, {0, 0, 0, 0}),
              ElementsAre(0x60005c00, 0x64006200, 0x66006500, 0x68006700));
  EXPECT_THAT(once(R"(
    mov.b32 %t2, 0xbf803f80; mov.b32 %t3, 0x7fc03f80;
    atom.global.max.noftz.v2.bf16x2 {%t4, %t5}, [%w0], {%t2, %t3};
    st.global.v2.b32 [%w0+8], {%t4, %t5};)",
                   {0xc0004000, 0x3f807fc0, 0, 0}),
              ElementsAre(0xbf804000, 0x3f803f80, 0xc0004000, 0x3f807fc0));
  EXPECT_THAT(once(R"(
    mov.b32 %t2, 0x80000000; mov.b32 %t3, 0xfc007e00;
    red.global.min.noftz.v2.f16x2 [%w0], {%t2, %t3};)",
                   {0x00008000, 0x7e007e00}),
              ElementsAre(0x80008000, 0xfc007fff, 0, 0));
}

TEST(AtomicTest, CacheHints) {
  EXPECT_EQ(onWords("mov.b64 %w1, 0x1234;"
                    "red.global.add.L2::cache_hint.u32 [%w0], 2, %w1;",
                    {0})[0],
            512u);
  EXPECT_EQ(onWords("mov.b64 %w1, 0x1234; red.global.add.L2::cache_hint.v2.f32 "
                    "[%w0], {0f3F800000, 0f3F800000}, %w1;",
                    {0, 0})[1],
            bits(256.0f));
}

TEST(AtomicTest, Faults) {
  auto run = [](const std::string &body) {
    return runMessage(kernel(body, "",
                             ".global .align 16 .b8 cell[64];\n"
                             ".shared .align 16 .b8 tile[64];"));
  };
  const std::string four = "{0f00000000, 0f00000000, 0f00000000, 0f00000000};";
  EXPECT_EQ(run("mov.u64 %w0, cell; red.global.add.v4.f32 [%w0], " + four),
            "ran");
  EXPECT_THAT(run("mov.u64 %w0, cell; red.global.add.v4.f32 [%w0+8], " + four),
              HasSubstr("atomic operation of 16 bytes at 0x"));
  EXPECT_THAT(run("mov.u64 %w0, cell; red.global.add.v4.f32 [%w0+8], " + four),
              HasSubstr("is misaligned; the address must be a multiple of 16"));
  EXPECT_THAT(run("mov.u64 %w0, cell; red.global.add.v4.f32 [%w0+64], " + four),
              HasSubstr("is outside every allocation of global memory"));
  EXPECT_THAT(run("mov.u64 %w0, tile; cvta.shared.u64 %w0, %w0;"
                  "red.add.v4.f32 [%w0], " +
                  four),
              HasSubstr("a vector's address is in shared memory; it must be in "
                        "global memory"));
}

TEST(AtomicTest, WhatItRefuses) {
  auto load = [](const std::string &text) {
    return loadMessage(kernel(".reg .b16 %h<4>;\n" + text + ";"));
  };
  EXPECT_EQ(load("atom.global.cas.b16 %h0, [%w0], %h1, %h2"), "loaded");
  for (const char *text :
       {"atom.global.add.f16x2 %t0, [%w0], %t1",
        "atom.global.min.noftz.f16x2 %t0, [%w0], %t1",
        "atom.global.add.b32 %t0, [%w0], %t1",
        "atom.global.max.f32 %t0, [%w0], %t1",
        "atom.global.inc.u64 %w1, [%w0], %w1",
        "atom.global.exch.b16 %h0, [%w0], %h1",
        "atom.global.exch.b128 %w1, [%w0], %w1",
        "red.global.exch.b32 [%w0], %t1", "red.global.cas.b32 [%w0], %t1, %t2",
        "red.shared.add.v2.f32 [%w0], {%t0, %t1}",
        "red.global.add.v8.f32 [%w0], {%t0, %t0, %t0, %t0, %t0, %t0, %t0, %t0}",
        "red.global.min.v2.f32 [%w0], {%t0, %t1}",
        "red.global.add.noftz.v8.f16x2 [%w0], {%t0, %t0, %t0, %t0, %t0, %t0, "
        "%t0, %t0}",
        "red.global.add.v2.u32 [%w0], {%t0, %t1}",
        "red.global.add.v4.f32 [%w0], {%t0, %t1}"})
    EXPECT_THAT(load(text),
                HasSubstr("unknown instruction '" + std::string(text)));
}

} // namespace
