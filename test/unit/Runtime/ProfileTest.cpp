//===- ProfileTest.cpp - Profiles through the C API -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleLayer.h"
#include "ctc/Runtime/ctc_profile.h"

#include <gmock/gmock.h>

using namespace ctc;
using ctc::test::ScaleLayer;

namespace {
class ProfileTest : public testing::Test, protected ScaleLayer {
protected:
  ProfileTest() : ScaleLayer("cpu") { layer.prepare(w.address()); }
  ~ProfileTest() override { ctc_profile_close(profile); }

  ctc_status run(size_t launch, const std::vector<uint64_t> &blocks = {}) {
    const auto where = addresses();
    ctc_profile_close(profile);
    return ctc_cpu_profile_launch(layer.get(), launch, kBatch, where.data(),
                                  where.size(), blocks.data(), blocks.size(),
                                  &profile);
  }

  ctc_instruction_info instruction(const std::string &beginning) {
    ctc_profile_info info = {};
    ctc_instruction_info found = {};
    EXPECT_EQ(ctc_profile_get_info(profile, &info), CTC_OK);
    for (size_t i = 0; i < info.instruction_count; ++i) {
      ctc_instruction_info one;
      EXPECT_EQ(ctc_profile_get_instruction(profile, i, &one), CTC_OK);
      if (std::string(one.text).starts_with(beginning))
        found = one;
    }
    EXPECT_NE(found.text, nullptr) << beginning;
    return found;
  }

  ctc_profile *profile = nullptr;
};

TEST_F(ProfileTest, CountsAndRuns) {
  ASSERT_GOOD(run(0));
  expectSamples(0, kBatch);
  ctc_profile_info info;
  ASSERT_GOOD(ctc_profile_get_info(profile, &info));
  EXPECT_STREQ(info.kernel, "scale_run");
  EXPECT_EQ(info.grid_blocks, 5u);
  EXPECT_EQ(info.blocks, 5u);
  EXPECT_EQ(info.warp_instructions, 5u * 16);
  EXPECT_EQ(info.thread_instructions, 5u * 16 * 4);
  EXPECT_EQ(info.threads_per_block, 4u);
  EXPECT_EQ(info.cluster_blocks, 1u);
  EXPECT_EQ(info.shared_bytes, 0u);
  EXPECT_EQ(info.instruction_count, 16u);
  EXPECT_EQ(info.buffer_count, 4u);
}

TEST_F(ProfileTest, Instructions) {
  ASSERT_GOOD(run(0));
  const ctc_instruction_info fma = instruction("fma.rn.f32");
  EXPECT_STREQ(fma.kind, "fp32");
  EXPECT_EQ(fma.unit, CTC_MULTIPLY_FP32);
  EXPECT_EQ(fma.pipes.fp32, 1);
  EXPECT_EQ(fma.warps, 5u);
  EXPECT_EQ(fma.threads, 20u);
  EXPECT_EQ(fma.multiply_adds, 20u);
  EXPECT_EQ(fma.global.requests, 0u);
  const ctc_instruction_info store = instruction("st.global");
  EXPECT_EQ(store.line, fma.line + 1);
  EXPECT_STREQ(store.kind, "global store");
  EXPECT_EQ(store.global.requests, 5u);
  EXPECT_EQ(store.global.bytes, 80u);
  EXPECT_EQ(store.global.units, 5u);
  EXPECT_EQ(store.global.least_units, 5u);
}

TEST_F(ProfileTest, Buffers) {
  ASSERT_GOOD(run(0));
  ctc_profile_info info;
  ASSERT_GOOD(ctc_profile_get_info(profile, &info));
  size_t found = 0;
  for (size_t i = 0; i < info.buffer_count; ++i) {
    ctc_buffer_info buffer;
    ASSERT_GOOD(ctc_profile_get_buffer(profile, i, &buffer));
    if (buffer.address == y.address()) {
      ++found;
      EXPECT_EQ(buffer.bytes, 80u);
      EXPECT_EQ(buffer.stored_sectors, 5u);
      EXPECT_EQ(buffer.distinct_stored_sectors, 3u);
      EXPECT_EQ(buffer.loaded_sectors, 0u);
    } else if (buffer.address == b.address()) {
      ++found;
      EXPECT_EQ(buffer.loaded_sectors, 5u);
      EXPECT_EQ(buffer.block_loaded_sectors, 5u);
      EXPECT_EQ(buffer.distinct_loaded_sectors, 1u);
    }
  }
  EXPECT_EQ(found, 2u);
}

TEST_F(ProfileTest, SomeBlocks) {
  ASSERT_GOOD(run(0, {1, 2}));
  expectSamples(1, 3);
  ctc_profile_info info;
  ASSERT_GOOD(ctc_profile_get_info(profile, &info));
  EXPECT_EQ(info.grid_blocks, 5u);
  EXPECT_EQ(info.blocks, 2u);
}

TEST_F(ProfileTest, Errors) {
  EXPECT_FAILS(run(1), CTC_INVALID_ARGUMENT,
               "no run launch 1: entry 'scale' has 1");
  EXPECT_EQ(profile, nullptr);
  EXPECT_FAILS(run(0, {5}), CTC_INVALID_ARGUMENT, "no block 5: the grid has 5");
  ASSERT_GOOD(run(0));
  ctc_instruction_info one;
  EXPECT_FAILS(ctc_profile_get_instruction(profile, 16, &one),
               CTC_INVALID_ARGUMENT, "no instruction number 16: there are 16");
  EXPECT_FAILS(ctc_profile_get_info(nullptr, nullptr), CTC_INVALID_ARGUMENT,
               "profile is NULL");
  EXPECT_STREQ(ctc_multiply_unit_name(CTC_MULTIPLY_MMA_16), "mma 16-bit");
  EXPECT_STREQ(ctc_multiply_unit_name(static_cast<ctc_multiply_unit>(99)),
               "unknown");
}

} // namespace
