//===- CpuTest.cpp - What the cpu device can do beside --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleLayer.h"

#include <gmock/gmock.h>

using namespace ctc;
using ctc::test::scaleBundle;
using ctc::test::ScaleLayer;
using testing::HasSubstr;

namespace {
class CpuTest : public testing::Test, protected ScaleLayer {
protected:
  CpuTest() : ScaleLayer("cpu") {}
};

TEST_F(CpuTest, SingleBlocks) {
  layer.prepare(w.address());
  const auto where = addresses();
  const uint64_t blocks[] = {1, 2};
  ASSERT_GOOD(ctc_cpu_launch_blocks(layer.get(), 0, kBatch, where.data(),
                                    where.size(), blocks, 2));
  expectSamples(1, 3);
  const uint64_t beyond = 5;
  EXPECT_FAILS(ctc_cpu_launch_blocks(layer.get(), 0, kBatch, where.data(),
                                     where.size(), &beyond, 1),
               CTC_INVALID_ARGUMENT, "no block 5: the grid has 5");
  EXPECT_FAILS(ctc_cpu_launch_blocks(layer.get(), 1, kBatch, where.data(),
                                     where.size(), blocks, 2),
               CTC_INVALID_ARGUMENT, "no run launch 1: entry 'scale' has 1");
}

TEST_F(CpuTest, Statistics) {
  layer.prepare(w.address());
  ctc_cpu_statistics before, after;
  ASSERT_GOOD(ctc_cpu_get_statistics(device.get(), &before));
  ASSERT_GOOD(ctc_cpu_set_threads(device.get(), 1));
  layer.launch(kBatch, addresses());
  ASSERT_GOOD(ctc_cpu_get_statistics(device.get(), &after));
  EXPECT_EQ(after.blocks - before.blocks, 5u);
  const uint64_t warps = after.warp_instructions - before.warp_instructions;
  EXPECT_GE(warps, 5u * 10);
  EXPECT_EQ(after.thread_instructions - before.thread_instructions, 4 * warps);
}

TEST_F(CpuTest, AnyChipsPtxRuns) {
  const auto hopper = runtime::Module::load(bundle, device, "sm_90a");
  EXPECT_STREQ(hopper.info().chip, "sm_90a");
  EXPECT_EQ(hopper.info().image, 1u);
  auto other = runtime::Layer::create(hopper);
  other.prepare(w.address());
  other.launch(kBatch, addresses());
  expectSamples(0, kBatch);
}

TEST_F(CpuTest, BuffersTooShort) {
  layer.prepare(w.address());
  auto where = addresses();
  EXPECT_EQ(ctc_layer_launch(layer.get(), kBatch + 1, where.data(),
                             where.size(), nullptr),
            CTC_INVALID_ARGUMENT);
  EXPECT_THAT(ctc_last_error(), HasSubstr("argument 'x' has 96 bytes, those at "
                                          "0x"));
  where[1] = 0x10;
  EXPECT_FAILS(ctc_layer_launch(layer.get(), kBatch, where.data(), where.size(),
                                nullptr),
               CTC_INVALID_ARGUMENT,
               "argument 'b' has 4 bytes, those at 0x10 do not lie in one "
               "allocation of the device");
  EXPECT_FAILS(ctc_layer_use_packed(layer.get(), 0x20), CTC_INVALID_ARGUMENT,
               "the packed weights have 256 bytes, those at 0x20 do not lie "
               "in one allocation of the device");
}

TEST_F(CpuTest, FaultsComeBackWithTheKernel) {
  Bundle bad = scaleBundle();
  Launch &launch = bad.images[0].manifest.entries[0].run[0];
  launch.block = {8, 1, 1}; // Reads a sample behind the last.
  const auto handle = test::open(bad);
  const auto faulty = runtime::Module::load(handle, device);
  auto other = runtime::Layer::create(faulty);
  other.prepare(w.address());
  const auto where = addresses();
  EXPECT_EQ(ctc_layer_launch(other.get(), kBatch, where.data(), where.size(),
                             nullptr),
            CTC_DEVICE_ERROR);
  EXPECT_THAT(ctc_last_error(), HasSubstr("scale_run"));
}

/// What loading a changed bundle fails with.
std::string loadFailure(const Bundle &changed, const char *chip = nullptr) {
  const auto bundle = test::open(changed);
  const auto device = runtime::Device::open("cpu");
  ctc_module *module = nullptr;
  const ctc_status status =
      ctc_module_load(bundle.get(), device.get(), chip, &module);
  ctc_module_unload(module);
  return std::string(ctc_status_name(status)) + ": " + ctc_last_error();
}

TEST(CpuLoad, ModulesThatDoNotFit) {
  Bundle bundle = scaleBundle();
  bundle.images[0].manifest.entries[0].run[0].passesBatch = false;
  EXPECT_EQ(loadFailure(bundle),
            "CTC_INVALID_BUNDLE: kernel 'scale_run' for sm_80 takes 40 bytes "
            "of parameters, its launch passes 32");
  bundle = scaleBundle();
  bundle.images[0].manifest.entries[0].run[0].kernel = "other";
  EXPECT_EQ(loadFailure(bundle),
            "CTC_INVALID_BUNDLE: the PTX for sm_80 has no kernel 'other'");
  bundle = scaleBundle();
  bundle.images[0].ptx = "no PTX";
  EXPECT_THAT(loadFailure(bundle),
              testing::StartsWith("CTC_DEVICE_ERROR: the PTX for sm_80: "));
  bundle.images[0].ptx.clear();
  bundle.images[0].cubin = {1};
  EXPECT_EQ(loadFailure(bundle, "sm_80"),
            "CTC_NO_IMAGE: the image for sm_80 has no PTX, which the cpu "
            "device needs");
  EXPECT_EQ(loadFailure(bundle, "sm_89"),
            "CTC_NO_IMAGE: no image for 'sm_89' in the bundle, which has "
            "sm_80, sm_90a");
  bundle.images[1] = bundle.images[0];
  bundle.images[1].chip = "sm_86";
  EXPECT_EQ(loadFailure(bundle),
            "CTC_NO_IMAGE: nothing in the bundle runs on the cpu device: none "
            "of sm_80, sm_86 has PTX");
}
} // namespace
