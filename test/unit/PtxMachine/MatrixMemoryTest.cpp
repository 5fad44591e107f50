//===- MatrixMemoryTest.cpp - ldmatrix, stmatrix, movmatrix ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRun.h"
#include "PtxTesting.h"

using namespace ctc;
using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::HasSubstr;

namespace {

constexpr unsigned kLines = 32; ///< Of 16 bytes, in shared memory.

/// Runs `body` in one warp with %t0 = lane and shared memory `tile` that holds
/// 16-bit elements 0, 1, 2, ...; four registers %x0 to %x3 of every lane and
/// then the memory are the result.
struct Outcome {
  uint32_t registers[32][4];
  uint16_t memory[kLines][8];
};

Outcome runMatrices(const std::string &body) {
  std::string text = ".reg .b32 %x<4>, %addr;\nmov.u32 %t0, %laneid;\n"
                     "mov.u32 %t1, tile; mad.lo.u32 %t1, %t0, 16, %t1;\n"
                     "mul.lo.u32 %t2, %t0, 8;\n";
  // Word i of a lane's line: elements 2 * i and 2 * i + 1.
  text += "mul.lo.u32 %t2, %t2, 0x10001; add.u32 %t2, %t2, 0x10000;\n";
  for (int i = 0; i < 4; ++i) {
    const std::string number = std::to_string(i);
    text += "st.shared.b32 [%t1+" + std::to_string(4 * i) + "], %t2;\n";
    text += "add.u32 %t2, %t2, 0x20002;\n";
    text += "mov.b32 %x" + number + ", 0;\n";
  }
  text += "bar.warp.sync -1;\n" + body +
          "\nbar.warp.sync -1;\nld.param.u64 %w0, [p];\n"
          "mad.wide.u32 %w1, %t0, 16, %w0;\n"
          "st.global.v4.b32 [%w1], {%x0, %x1, %x2, %x3};\n"
          "ld.shared.v4.b32 {%x0, %x1, %x2, %x3}, [%t1];\n"
          "st.global.v4.b32 [%w1+512], {%x0, %x1, %x2, %x3};\n";
  KernelRun run(
      kernel(text, ".param .u64 p", ".shared .align 16 .b8 tile[512];"), "k");
  const size_t out = run.buffer(u8s(sizeof(Outcome)), gpu::Element::U16);
  run.config.block.x = 32;
  Outcome result{};
  EXPECT_TRUE(run.launch());
  std::memcpy(&result, run.read<uint8_t>(out).data(), sizeof(result));
  return result;
}

uint32_t pair(uint32_t low, uint32_t high) { return low | high << 16; }

/// The address of lane i is that of line `order(i)`.
std::string straightAddresses() { return "mov.u32 %addr, %t1;\n"; }
std::string reversedAddresses() {
  return "mov.u32 %addr, tile; sub.u32 %t3, 31, %t0;\n"
         "mad.lo.u32 %addr, %t3, 16, %addr;\n";
}

TEST(MatrixMemoryTest, Loads) {
  // Element j of line i is 8 * i + j.
  Outcome one =
      runMatrices(straightAddresses() +
                  "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%x0}, [%addr];");
  Outcome two =
      runMatrices(reversedAddresses() + "ldmatrix.sync.aligned.m8n8.x2.shared."
                                        "b16 {%x0, %x1}, [%addr];");
  Outcome four = runMatrices(reversedAddresses() +
                             "ldmatrix.sync.aligned.m8n8.x4.shared::cta.b16 "
                             "{%x0, %x1, %x2, %x3}, [%addr];");
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned line = lane / 4, at = lane % 4 * 2;
    EXPECT_EQ(one.registers[lane][0], pair(8 * line + at, 8 * line + at + 1));
    EXPECT_EQ(one.registers[lane][1], 0u);
    for (unsigned m = 0; m < 4; ++m) {
      const unsigned first = 8 * (31 - (8 * m + line)) + at;
      EXPECT_EQ(four.registers[lane][m], pair(first, first + 1));
      EXPECT_EQ(two.registers[lane][m], m < 2 ? pair(first, first + 1) : 0);
    }
  }
}

TEST(MatrixMemoryTest, LoadsTransposed) {
  Outcome four = runMatrices(straightAddresses() +
                             "ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 "
                             "{%x0, %x1, %x2, %x3}, [%addr];");
  Outcome one =
      runMatrices("mov.u64 %w2, tile; cvta.shared.u64 %w2, %w2;"
                  "mad.wide.u32 %w2, %t0, 16, %w2;"
                  "ldmatrix.sync.aligned.m8n8.x1.trans.b16 {%x0}, [%w2+16];");
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned column = lane / 4, line = lane % 4 * 2;
    for (unsigned m = 0; m < 4; ++m)
      EXPECT_EQ(four.registers[lane][m], pair(8 * (8 * m + line) + column,
                                              8 * (8 * m + line + 1) + column));
    // Through a generic address, one line further.
    EXPECT_EQ(one.registers[lane][0],
              pair(8 * (line + 1) + column, 8 * (line + 2) + column));
  }
}

/// Registers hold 1000 * m + 2 * lane and the number after it.
std::string numberedRegisters() {
  return "shl.b32 %t3, %t0, 1; shl.b32 %t4, %t0, 17; add.u32 %t3, %t3, %t4;\n"
         "add.u32 %x0, %t3, 0x10000; add.u32 %x1, %x0, 0x3e803e8;\n"
         "add.u32 %x2, %x1, 0x3e803e8; add.u32 %x3, %x2, 0x3e803e8;\n";
}

TEST(MatrixMemoryTest, Stores) {
  Outcome straight = runMatrices(reversedAddresses() + numberedRegisters() +
                                 "stmatrix.sync.aligned.m8n8.x4.shared.b16 "
                                 "[%addr], {%x0, %x1, %x2, %x3};");
  Outcome trans = runMatrices(straightAddresses() + numberedRegisters() +
                              "stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 "
                              "[%addr], {%x0, %x1};");
  Outcome one = runMatrices(
      straightAddresses() + numberedRegisters() +
      "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%addr+128], {%x0};");
  for (unsigned i = 0; i < kLines; ++i)
    for (unsigned j = 0; j < 8; ++j) {
      const unsigned m = (31 - i) / 8, line = (31 - i) % 8;
      EXPECT_EQ(straight.memory[i][j], 1000 * m + 8 * line + j);
      EXPECT_EQ(trans.memory[i][j],
                i < 16 ? 1000 * (i / 8) + 8 * j + i % 8 : 8 * i + j);
      EXPECT_EQ(one.memory[i][j],
                i >= 8 && i < 16 ? 8 * (i - 8) + j : 8 * i + j);
    }
}

TEST(MatrixMemoryTest, Transposes) {
  Outcome result = runMatrices(
      numberedRegisters() + "movmatrix.sync.aligned.m8n8.trans.b16 %x0, %x0;"
                            "movmatrix.sync.aligned.m8n8.trans.b16 %x2, %x1;");
  for (unsigned lane = 0; lane < 32; ++lane) {
    const unsigned column = lane / 4, line = lane % 4 * 2;
    const uint32_t expected = pair(8 * line + column, 8 * line + 8 + column);
    EXPECT_EQ(result.registers[lane][0], expected);
    EXPECT_EQ(result.registers[lane][2], expected + 0x3e803e8);
  }
}

std::string faultOf(const std::string &body, unsigned threads = 32) {
  LaunchConfig config;
  config.block.x = threads;
  return runMessage(
      kernel(".reg .b32 %x<4>;\nmov.u32 %t0, %laneid;\nmov.u32 %t1, tile; "
             "mad.lo.u32 %t1, %t0, 16, %t1;\n" +
                 body,
             "", ".shared .align 16 .b8 tile[512];"),
      config);
}

TEST(MatrixMemoryTest, Faults) {
  const std::string load = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%x0}, ";
  const std::string all =
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%x0, %x1, %x2, %x3}, ";
  EXPECT_EQ(faultOf(all + "[%t1];"), "ran");
  EXPECT_THAT(faultOf(all + "[%t1+16];"),
              HasSubstr("thread (31, 0, 0), PTX line 13, '" + all +
                        "[%t1+16];': load of 16 bytes at 0x200 is "
                        "outside the block's 512 bytes of shared memory"));
  EXPECT_THAT(faultOf(all + "[%t1+8];"),
              HasSubstr("load of 16 bytes at 0x8 is misaligned; the "
                        "address must be a multiple of 16"));
  EXPECT_THAT(
      faultOf("stmatrix.sync.aligned.m8n8.x2.trans.shared.b16 [%t1+272], "
              "{%x0, %x1};"),
      HasSubstr("thread (15, 0, 0), PTX line 13, 'stmatrix"));
  // Only the first eight lanes' addresses count.
  EXPECT_EQ(faultOf("setp.gt.u32 %p0, %t0, 7; @%p0 mov.u32 %t1, 12345678;\n" +
                    load + "[%t1];"),
            "ran");
  EXPECT_THAT(faultOf("setp.gt.u32 %p0, %t0, 6; @%p0 mov.u32 %t1, 4096;\n" +
                      load + "[%t1];"),
              HasSubstr("thread (7, 0, 0)"));
  EXPECT_THAT(faultOf("setp.gt.u32 %p0, %t0, 15;\n@%p0 " + load + "[%t1];"),
              HasSubstr("an aligned instruction needs all 32 threads of the "
                        "warp together; lanes 0xffff0000 are here"));
  EXPECT_THAT(faultOf("movmatrix.sync.aligned.m8n8.trans.b16 %x0, %x1;", 31),
              HasSubstr("lanes 0x7fffffff are here, and 0x7fffffff have not "
                        "exited"));
}

TEST(MatrixMemoryTest, GenericAddressesMustBeShared) {
  LaunchConfig config;
  config.block.x = 32;
  auto run = [&](const std::string &body) {
    return runMessage(kernel(body, "",
                             ".global .align 16 .b8 cell[64];\n"
                             ".shared .align 16 .b8 tile[64];"),
                      config);
  };
  EXPECT_THAT(run(".reg .b32 %x0;\nmov.u64 %w0, cell;\n"
                  "stmatrix.sync.aligned.m8n8.x1.b16 [%w0], {%x0};"),
              HasSubstr("is outside the block's 0 bytes of shared memory"));
  EXPECT_EQ(run(".reg .b32 %x0;\nmov.u64 %w0, tile; cvta.shared.u64 %w0, %w0;\n"
                "stmatrix.sync.aligned.m8n8.x1.b16 [%w0], {%x0};"),
            "ran");
}

TEST(MatrixMemoryTest, WhatItRefuses) {
  auto load = [](const std::string &text) {
    return loadMessage(kernel(".reg .b32 %x<4>;\n" + text + ";"));
  };
  EXPECT_THAT(load("ldmatrix.sync.aligned.m16n16.x1.trans.shared.b8 {%x0, "
                   "%x1}, [%t0]"),
              HasSubstr("only m8n8 matrices of .b16 are supported by the "
                        "machine"));
  EXPECT_THAT(load("stmatrix.sync.aligned.m16n8.x1.trans.shared.b8 [%t0], "
                   "{%x0}"),
              HasSubstr("only m8n8 matrices of .b16"));
  EXPECT_THAT(load("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%x0}, [%t0]"),
              HasSubstr("1 registers are given where 2 are needed"));
  EXPECT_THAT(load("ldmatrix.sync.aligned.m8n8.x1.global.b16 {%x0}, [%w0]"),
              HasSubstr("unknown instruction"));
  EXPECT_THAT(load("ldmatrix.sync.m8n8.x1.shared.b16 {%x0}, [%t0]"),
              HasSubstr("unknown instruction"));
  EXPECT_THAT(load("movmatrix.sync.aligned.m8n8.b16 %x0, %x1"),
              HasSubstr("unknown instruction"));
}

} // namespace
