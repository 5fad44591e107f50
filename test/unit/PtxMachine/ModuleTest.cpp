//===- ModuleTest.cpp - module syntax -------------------------------------===//
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

TEST(ModuleTest, DebugNoiseAndDirectivesAreSkipped) {
  EXPECT_EQ(loadMessage(R"(
// A comment, /* and one
.version 8.7
.target sm_100a, debug
.address_size 64
.file 1 "/a/b.mlir"
.file	2 "/a/c.mlir", 0, 0
.visible .entry k(
	.param .u64 .ptr .global .align 16 k_param_0,
	.param .align 8 .b8 k_param_1[24]
)
.maxntid 128, 1, 1
.minnctapersm 2
.maxnreg 64
.reqntid 128
{
	.reg .pred 	%p<2>;
	.reg .b64 %rd<3>;
	.loc	1 3 5
	.loc	1 4 5, function_name $L__info_string0, inlined_at 1 3 7
	.pragma "nounroll";
$L__BB0_1: /* over
  two lines */
	bra.uni $L__BB0_2;
$L__BB0_2:
	{
		.reg .b64 %rd<1>;
		.reg .b32 temp;
		mov.u64 %rd0, 1;
		cvt.u32.u64 temp, %rd0;
	}
	ret;
}
.section	.debug_abbrev
{
.b8 1
.b8 17,2
.b32 $L__BB0_1
{ .b8 0 }
}
.section .debug_loc { }
)"),
            "loaded");
}

TEST(ModuleTest, KernelsAndTheirSizes) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      std::string(kHeader) +
          ".shared .align 16 .b8 used[40];\n.shared .align 4 .b8 unused[400];\n"
          ".extern .shared .align 128 .b8 dynamic[];\n"
          ".visible .entry one(.param .u32 a, .param .u64 b, .param .align 64 "
          ".b8 map[128]) { .reg .b64 %r<2>; mov.u64 %r0, used; mov.u64 %r1, "
          "dynamic; ret; }\n.entry two() { ret; }\n",
      memory);
  ASSERT_TRUE(module) << module.error().message;
  auto kernels = (*module)->kernels();
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_EQ(kernels[0].name, "one");
  EXPECT_EQ(kernels[0].parameterBytes, 192u);
  EXPECT_EQ(kernels[0].staticSharedBytes, 40u);
  EXPECT_EQ(kernels[1].name, "two");
  EXPECT_EQ(kernels[1].parameterBytes, 0u);
  EXPECT_EQ(kernels[1].staticSharedBytes, 0u);
}

TEST(ModuleTest, AlignmentBehindPtrIsThePointees) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      std::string(kHeader) + ".entry k(.param .u32 a, .param .u64 .ptr .global "
                             ".align 16 b) { ret; }\n",
      memory);
  ASSERT_TRUE(module) << module.error().message;
  EXPECT_EQ((*module)->kernels()[0].parameterBytes, 16u);
}

TEST(ModuleTest, InitializersOfEveryForm) {
  GlobalMemory memory;
  auto module = LoadedModule::load(
      kernel("ld.param.u64 %w0, [out];"
             "ld.global.f32 %t0, [floats+4]; st.global.u32 [%w0], %t0;"
             "ld.const.u16 %t0, [halves+2]; st.global.u32 [%w0+4], %t0;"
             "ld.global.u64 %w1, [pointer]; ld.global.u32 %t0, [%w1];"
             "st.global.u32 [%w0+8], %t0;"
             "ld.global.u64 %w1, [bytes]; ld.u32 %t0, [%w1];"
             "st.global.u32 [%w0+12], %t0;"
             "ld.global.u32 %t0, [matrix+12]; st.global.u32 [%w0+16], %t0;"
             "ld.global.u32 %t0, [zero]; st.global.u32 [%w0+20], %t0;"
             "ld.global.f64 %w2, [wide]; st.global.f64 [%w0+24], %w2;",
             ".param .u64 out",
             ".visible .global .align 4 .f32 floats[2] = {1.5, 0f40200000};\n"
             ".const .align 2 .u16 halves[] = {1, 0xbeef};\n"
             ".global .align 8 .u64 pointer = generic(numbers)+4;\n"
             ".global .align 8 .b8 bytes[8] = {0xFF(generic(numbers+8)), "
             "0xFF00(numbers+8), 0xFF0000(numbers+8), 0xFF000000(numbers+8), "
             "0xFF00000000(numbers+8), 0xFF0000000000(numbers+8), "
             "0xFF000000000000(numbers+8), 0xFF00000000000000(numbers+8)};\n"
             ".global .align 4 .u32 numbers[3] = {11, 22, 33};\n"
             ".global .u32 matrix[2][2] = {{1, 2}, {3, 4}};\n"
             ".global .u32 zero;\n.global .f64 wide = 0d4008000000000000;\n"),
      memory);
  ASSERT_TRUE(module) << module.error().message;
  uint64_t out = *memory.allocate(32);
  LaunchConfig config;
  config.parameters = parameters({out});
  auto done = (*module)->launch("k", config);
  ASSERT_TRUE(done) << done.error().message;
  const auto *words = reinterpret_cast<const uint32_t *>(out);
  EXPECT_EQ(words[0], bits(2.5f));
  EXPECT_EQ(words[1], 0xbeefu);
  EXPECT_EQ(words[2], 22u);
  EXPECT_EQ(words[3], 33u);
  EXPECT_EQ(words[4], 4u);
  EXPECT_EQ(words[5], 0u);
  EXPECT_EQ(*reinterpret_cast<const double *>(words + 6), 3.0);
}

TEST(ModuleTest, ErrorsNameLineAndText) {
  EXPECT_EQ(loadMessage("hello"), "PTX line 1: expected a directive, found "
                                  "'hello'");
  EXPECT_EQ(loadMessage(".version 8.0\n\x01"),
            "PTX line 2: '\x01' starts nothing that is a token of PTX");
  EXPECT_EQ(loadMessage(kernel("frob.u32 %t0,\n   %t1;")),
            "PTX line 10: unknown instruction 'frob.u32 %t0, %t1;'");
  EXPECT_EQ(loadMessage(kernel("add.magic.u32 %t0, %t1, %t2;")),
            "PTX line 10: unknown instruction 'add.magic.u32 %t0, %t1, %t2;'");
  EXPECT_EQ(loadMessage(kernel("add.u32 %t0, %w1, %t2;")),
            "PTX line 10: in 'add.u32 %t0, %w1, %t2;', '%w1' has 64 bits where "
            "32 are needed");
  EXPECT_EQ(loadMessage(kernel("mov.u32 %t0, %nothing;")),
            "PTX line 10: in 'mov.u32 %t0, %nothing;', '%nothing' is neither a "
            "declared register nor a special register the machine knows");
  EXPECT_EQ(loadMessage(kernel("mov.u64 %w0, nothing;")),
            "PTX line 10: in 'mov.u64 %w0, nothing;', 'nothing' is not "
            "declared");
  EXPECT_EQ(loadMessage(kernel("add.u32 5, %t1, %t2;")),
            "PTX line 10: in 'add.u32 5, %t1, %t2;', operand 1 must be a "
            "register");
  EXPECT_EQ(loadMessage(kernel("@%t0 bra END; END:")),
            "PTX line 10: expected a predicate register, found '%t0'");
  EXPECT_EQ(loadMessage(".entry k() {"),
            "PTX line 1: expected an instruction, found the end of the text");
  EXPECT_EQ(loadMessage(".extern .global .u32 far;"),
            "PTX line 1: the variable 'far' is .extern; a module is run by "
            "itself, so every variable needs its definition in it");
  EXPECT_EQ(loadMessage(".global .u64 p = q;"),
            "PTX line 1: the initialiser of 'p' names 'q', which is no .global "
            "or .const variable of this module");
  EXPECT_EQ(loadMessage(".global .u8 p[2] = {1, 2, 3};"),
            "PTX line 1: expected an initialiser that fits its variable, found "
            "'{'");
  EXPECT_EQ(loadMessage(".reg .b128 %x;"),
            "PTX line 1: expected a variable or a function, found 'reg'");
}

TEST(ModuleTest, DeepNestingIsRefused) {
  std::string braces(100000, '{');
  EXPECT_THAT(loadMessage(".global .u8 x[1] = " + braces),
              HasSubstr("expected at most 64 nested braces"));
  EXPECT_THAT(loadMessage(kernel("mov.b64 %w0, " + braces)),
              HasSubstr("expected at most 64 nested braces"));
}

} // namespace
