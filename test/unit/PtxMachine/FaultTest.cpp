//===- FaultTest.cpp - accesses the hardware would not allow --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

std::string faultOf(const std::string &body, uint64_t argument,
                    const std::string &before = "", uint32_t threads = 1) {
  LaunchConfig config;
  config.block.x = threads;
  config.parameters = parameters({argument});
  return runMessage(
      kernel("ld.param.u64 %w0, [p];\n" + body, ".param .u64 p", before),
      config);
}

TEST(FaultTest, OutsideGlobalMemory) {
  EXPECT_EQ(faultOf("ld.global.f32 %t0, [%w0+16];", 0x1000),
            "kernel 'k', block (0, 0, 0), thread (0, 0, 0), PTX line 11, "
            "'ld.global.f32 %t0, [%w0+16];': load of 4 bytes at 0x1010 is "
            "outside every allocation of global memory");
  EXPECT_THAT(faultOf("st.v2.u64 [%w0], {%w1, %w1};", 0x1000),
              HasSubstr("store of 16 bytes at 0x1000 is outside every "
                        "allocation of global memory"));
}

TEST(FaultTest, NamesTheThreadThatFaults) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w0, [p];\nmov.u32 %t0, %tid.x;"
             "mov.u32 %t1, %tid.y; mad.lo.u32 %t0, %t1, 8, %t0;\n"
             "mov.u32 %t2, %ctaid.x; mad.lo.u32 %t0, %t2, 64, %t0;"
             "mad.wide.u32 %w1, %t0, 4, %w0;\n"
             "st.global.u32 [%w1], %t0;",
             ".param .u64 p"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t data = *memory.allocate(4 * 172); // Ends in block 2, thread (4, 5).
  LaunchConfig config;
  config.grid.x = 9;
  config.block = {8, 8, 1};
  config.parameters = parameters({data});
  auto done = (*module)->launch("k", config);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ctc::ErrorCode::DeviceError);
  EXPECT_THAT(done.error().message,
              HasSubstr("kernel 'k', block (2, 0, 0), thread (4, 5, 0), PTX "
                        "line 13, 'st.global.u32 [%w1], %t0;': store of 4 "
                        "bytes at 0x"));
}

TEST(FaultTest, Misaligned) {
  EXPECT_THAT(faultOf("ld.global.f32 %t0, [%w0];", 0x1002),
              HasSubstr("load of 4 bytes at 0x1002 is misaligned; the address "
                        "must be a multiple of 4"));
  EXPECT_THAT(faultOf("mov.u64 %w1, tile; ld.shared.v4.u32 {%t0, %t1, %t2, "
                      "%t3}, [%w1+8];",
                      0, ".shared .align 16 .b8 tile[64];"),
              HasSubstr("load of 16 bytes at 0x8 is misaligned; the address "
                        "must be a multiple of 16"));
}

TEST(FaultTest, OutsideSharedLocalAndParameters) {
  const std::string tile = ".shared .align 16 .b8 tile[64];";
  EXPECT_THAT(faultOf("st.shared.u32 [tile+64], 1;", 0, tile),
              HasSubstr("store of 4 bytes at 0x40 is outside the block's 64 "
                        "bytes of shared memory"));
  EXPECT_THAT(
      faultOf("mov.u32 %t0, tile; ld.shared.u32 %t1, [%t0+-4];", 0, tile),
      HasSubstr("is outside the block's 64 bytes of shared memory"));
  EXPECT_THAT(faultOf("mov.u64 %w1, tile; cvta.shared.u64 %w1, %w1;"
                      "ld.u32 %t1, [%w1+64];",
                      0, tile),
              HasSubstr("is outside the block's 64 bytes of shared memory"));
  EXPECT_THAT(
      faultOf(".local .align 8 .b8 own[16]; st.local.u32 [own+16], 1;", 0),
      HasSubstr("store of 4 bytes at 0x10 is outside the thread's 16 "
                "bytes of local memory"));
  EXPECT_THAT(faultOf("ld.param.u64 %w1, [p+8];", 0),
              HasSubstr("load of 8 bytes at 0x8 is outside the kernel's 8 "
                        "bytes of parameters"));
}

TEST(FaultTest, ParametersAreNotWritable) {
  EXPECT_THAT(faultOf("mov.b64 %w1, p; cvta.param.u64 %w1, %w1;"
                      "st.u64 [%w1], 1;",
                      0),
              HasSubstr("is outside every allocation of global memory"));
}

TEST(FaultTest, Trap) {
  EXPECT_EQ(faultOf("mov.u32 %t0, %tid.x; setp.eq.u32 %p0, %t0, 3;\n@%p0 trap;",
                    0, "", 5),
            "kernel 'k', block (0, 0, 0), thread (3, 0, 0), PTX line 12, "
            "'@%p0 trap;': the kernel trapped");
}

TEST(FaultTest, BranchIndexPastTheEnd) {
  EXPECT_THAT(faultOf("list: .branchtargets A, B; mov.u32 %t0, 2;"
                      "brx.idx %t0, list; A: B:",
                      0),
              HasSubstr("the index is past the end of the list of branch "
                        "targets"));
}

TEST(FaultTest, InactiveLanesDoNotFault) {
  EXPECT_EQ(faultOf("mov.u32 %t0, %tid.x; setp.gt.u32 %p0, %t0, 99;"
                    "@%p0 ld.global.u32 %t1, [%w0];",
                    0, "", 64),
            "ran");
}

} // namespace
