//===- InstructionTraitsTest.cpp - classes, units and multiply-adds -------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/InstructionTraits.h"

#include "Families/Families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

using namespace ctc::ptx;

namespace {

using Kind = InstructionClass;
using Unit = MultiplyUnit;

struct Row {
  const char *text;
  Kind kind;
  Unit unit;
  unsigned threadMultiplyAdds, warpMultiplyAdds;
};

TEST(InstructionTraitsTest, MultiplyAdds) {
  const Row rows[] = {
      {"fma.rn.f32 %f1, %f2, %f3, %f1;", Kind::Fp32, Unit::Fp32, 1, 0},
      {"@%p1 fma.rn.ftz.f32 %f1, %f2, %f3, %f1;", Kind::Fp32, Unit::Fp32, 1, 0},
      {"@!%p1 mad.rn.f32 %f1, %f2, %f3, %f1;", Kind::Fp32, Unit::Fp32, 1, 0},
      {"fma.rn.f32x2 %d1, %d2, %d3, %d1;", Kind::Fp32, Unit::Fp32, 2, 0},
      {"fma.rn.f16x2 %r1, %r2, %r3, %r1;", Kind::Fp16, Unit::Fp16, 2, 0},
      {"fma.rn.relu.bf16 %h1, %h2, %h3, %h1;", Kind::Fp16, Unit::Fp16, 1, 0},
      {"fma.rn.f64 %d1, %d2, %d3, %d1;", Kind::Fp64, Unit::Fp64, 1, 0},
      {"mad.lo.s32 %r1, %r2, %r3, %r4;", Kind::Integer, Unit::Integer, 1, 0},
      {"dp4a.u32.u32 %r1, %r2, %r3, %r1;", Kind::Integer, Unit::Integer, 4, 0},
      {"mul.f32 %f1, %f2, %f3;", Kind::Fp32, Unit::None, 0, 0},
      {"mul.lo.s32 %r1, %r2, %r3;", Kind::Integer, Unit::None, 0, 0},
      {"mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%f0}, {%r0}, "
       "{%r1}, {%f0};",
       Kind::Mma, Unit::MmaTf32, 0, 1024},
      {"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {}, {}, {}, {};",
       Kind::Mma, Unit::Mma16, 0, 2048},
      {"mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {}, {}, {}, {};",
       Kind::Mma, Unit::Mma16, 0, 2048},
      {"mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e5m2.f32 {}, {}, {}, {};",
       Kind::Mma, Unit::Mma8, 0, 4096},
      {"mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {}, {}, {}, {};",
       Kind::Mma, Unit::MmaFp64, 0, 256},
      // A quarter of 64 x 256 x 16 for each of four warps.
      {"wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {%f0}, %rd1, "
       "%rd2, 1, 1, 1, 0, 0;",
       Kind::Wgmma, Unit::Wgmma16, 0, 65536},
      {"wgmma.mma_async.sync.aligned.m64n64k8.f32.tf32.tf32 {%f0, %f1}, {%r0, "
       "%r1}, %rd2, p, 1, 1;",
       Kind::Wgmma, Unit::WgmmaTf32, 0, 8192},
      {"wgmma.mma_async.sync.aligned.m64n8k32.s32.s8.u8 {%r0}, %rd1, %rd2, 1;",
       Kind::Wgmma, Unit::Wgmma8, 0, 4096},
  };
  for (const Row &row : rows) {
    SCOPED_TRACE(row.text);
    const InstructionTraits traits = instructionTraits(row.text);
    EXPECT_STREQ(name(traits.kind), name(row.kind));
    EXPECT_STREQ(name(traits.unit), name(row.unit));
    EXPECT_EQ(traits.threadMultiplyAdds, row.threadMultiplyAdds);
    EXPECT_EQ(traits.warpMultiplyAdds, row.warpMultiplyAdds);
  }
}

TEST(InstructionTraitsTest, WgmmaReadsSharedMemory) {
  // B: 256 rows of 32 bytes, A: 64 rows; a quarter for each warp.
  EXPECT_EQ(instructionTraits("wgmma.mma_async.sync.aligned.m64n256k16.f32."
                              "bf16.bf16 {%f0}, %rd1, %rd2, 1, 1, 1, 0, 0;")
                .wgmmaBytes,
            (256 + 64) * 32 / 4u);
  EXPECT_EQ(instructionTraits("wgmma.mma_async.sync.aligned.m64n256k8.f32."
                              "tf32.tf32 {%f0}, {%r0, %r1}, %rd2, 1, 1, 1;")
                .wgmmaBytes,
            256 * 32 / 4u);
}

TEST(InstructionTraitsTest, Classes) {
  const std::pair<const char *, Kind> rows[] = {
      {"ld.global.nc.v4.f32 {%f0, %f1, %f2, %f3}, [%rd1+16];",
       Kind::GlobalLoad},
      {"@%p3 st.global.b32 [%rd1], %r1;", Kind::GlobalStore},
      {"ld.shared.b32 %r1, [%rd1];", Kind::SharedLoad},
      {"ld.shared::cluster.b32 %r1, [%r2];", Kind::SharedLoad},
      {"st.shared.v4.b32 [%rd1], {%r0, %r1, %r2, %r3};", Kind::SharedStore},
      {"ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r0}, [%r4];",
       Kind::SharedLoad},
      {"ld.param.b64 %rd1, [layer_param_0];", Kind::ConstantLoad},
      {"ld.f32 %f1, [%rd1];", Kind::GenericAccess},
      {"ld.local.u32 %r1, [%rd1];", Kind::LocalAccess},
      {"red.global.add.f32 [%rd1], %f1;", Kind::Atomic},
      {"cp.async.cg.shared.global [%r1], [%rd1], 16;", Kind::AsyncCopy},
      {"cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::"
       "bytes [%r1], [%rd1, {%r2, %r3}], [%r4];",
       Kind::AsyncCopy},
      {"cp.async.wait_group 0;", Kind::Synchronize},
      {"bar.sync 0;", Kind::Synchronize},
      {"mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], %r2;",
       Kind::Synchronize},
      {"wgmma.wait_group.sync.aligned 0;", Kind::Synchronize},
      {"setp.lt.s64 %p1, %rd1, %rd2;", Kind::Compare},
      {"and.pred %p1, %p2, %p3;", Kind::Compare},
      {"and.b32 %r1, %r2, %r3;", Kind::Integer},
      {"shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1;", Kind::Exchange},
      {"cvt.rna.tf32.f32 %r1, %f1;", Kind::Convert},
      {"ex2.approx.ftz.f32 %f1, %f2;", Kind::Special},
      {"div.rn.f32 %f1, %f2, %f3;", Kind::Special},
      {"@%p1 bra $L__BB0_2;", Kind::Control},
      {"ret;", Kind::Control},
      {"mov.b32 %r1, %r2;", Kind::Move},
  };
  for (const auto &[text, kind] : rows)
    EXPECT_STREQ(name(instructionTraits(text).kind), name(kind)) << text;
}

TEST(InstructionTraitsTest, MachineInstructions) {
  auto pipes = [](const char *text) { return instructionTraits(text).pipes; };
  EXPECT_EQ(pipes("fma.rn.f32 %f1, %f2, %f3, %f1;"), (PipeUse{.fp32 = 1}));
  EXPECT_EQ(pipes("add.s32 %r1, %r2, %r3;"), (PipeUse{.integer = 1}));
  EXPECT_EQ(pipes("add.s64 %rd1, %rd2, %rd3;"), (PipeUse{.integer = 2}));
  EXPECT_EQ(pipes("min.s64 %rd1, %rd2, %rd3;"), (PipeUse{.integer = 4}));
  EXPECT_EQ(pipes("mul.wide.u32 %rd1, %r2, %r3;"), (PipeUse{.fp32 = 1}));
  EXPECT_EQ(pipes("mad.lo.s64 %rd1, %rd2, %rd3, %rd1;"),
            (PipeUse{.fp32 = 3, .integer = 1}));
  EXPECT_EQ(pipes("ex2.approx.ftz.f32 %f1, %f2;"), (PipeUse{.special = 1}));
  EXPECT_EQ(pipes("cvt.rna.tf32.f32 %r1, %f1;"), (PipeUse{.integer = 3}));
  // A copy of a register is renamed away, what comes from elsewhere is not.
  EXPECT_EQ(pipes("mov.b32 %r1, %r2;"), PipeUse());
  EXPECT_EQ(pipes("mov.b64 %rd1, {%r1, %r2};"), PipeUse());
  EXPECT_EQ(pipes("mov.u32 %r1, %tid.x;"), (PipeUse{.integer = 1}));
  EXPECT_EQ(pipes("mov.b32 %r1, 0f00000000;"), (PipeUse{.integer = 1}));
  EXPECT_EQ(pipes("mov.b64 %rd1, layer_phases0;"), (PipeUse{.integer = 1}));
  EXPECT_EQ(pipes("ld.global.b32 %r1, [%rd1];").all(), 1u);
}

TEST(InstructionTraitsTest, FirstLevelCache) {
  auto isCached = [](const char *text) {
    return instructionTraits(text).isCached;
  };
  EXPECT_TRUE(isCached("ld.global.f32 %f1, [%rd1];"));
  EXPECT_TRUE(isCached("ld.global.nc.f32 %f1, [%rd1];"));
  EXPECT_FALSE(isCached("ld.global.cg.f32 %f1, [%rd1];"));
  EXPECT_FALSE(isCached("ld.volatile.global.f32 %f1, [%rd1];"));
  EXPECT_FALSE(isCached("ld.acquire.gpu.global.u32 %r1, [%rd1];"));
  EXPECT_TRUE(isCached("cp.async.ca.shared.global [%r1], [%rd1], 4;"));
  EXPECT_FALSE(isCached("cp.async.cg.shared.global [%r1], [%rd1], 16;"));
  EXPECT_FALSE(isCached("atom.global.add.u32 %r1, [%rd1], 1;"));
}

TEST(InstructionTraitsTest, EveryOpcodeHasARow) {
  // Hints and settings, which are nothing in particular.
  const std::set<std::string> others = {
      "applypriority", "createpolicy", "discard",   "nanosleep",
      "pmevent",       "prefetch",     "prefetchu", "setmaxnreg"};
  for (const auto &[opcode, decoder] : decoderTable()) {
    const bool isOther = instructionTraits(opcode + ".b32 %r1, %r2;").kind ==
                         InstructionClass::Other;
    EXPECT_EQ(isOther, others.count(opcode) != 0) << opcode;
  }
}

TEST(InstructionTraitsTest, EveryClassAndUnitHasAName) {
  for (size_t i = 0; i < kInstructionClasses; ++i)
    EXPECT_NE(name(static_cast<Kind>(i)), nullptr);
  for (size_t i = 0; i < kMultiplyUnits; ++i)
    EXPECT_NE(name(static_cast<Unit>(i)), nullptr);
  EXPECT_STREQ(name(Kind::Other), "other");
  EXPECT_STREQ(name(Unit::Wgmma8), "wgmma 8-bit");
}

} // namespace
