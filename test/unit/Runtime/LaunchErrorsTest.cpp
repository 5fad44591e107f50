//===- LaunchErrorsTest.cpp - Wrong uses of modules and layers ------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Whatever is wrong is said before anything reaches the driver.
//
//===----------------------------------------------------------------------===//

#include "CudaTesting.h"

using namespace ctc;
using namespace ctc::test;

namespace {
using LaunchErrors = CudaTest;
using Addresses = std::vector<uint64_t>;

const Addresses kGood{0x3000, 0x4000, 0x5000, 0x6000};

ctc_status launch(const Loaded &sample, int64_t batch,
                  const Addresses &addresses) {
  return ctc_layer_launch(sample.layer.get(), batch, addresses.data(),
                          addresses.size(), nullptr);
}

TEST_F(LaunchErrors, UnknownEntry) {
  Loaded sample(onlySm80());
  ctc_layer *layer = nullptr;
  EXPECT_FAILS(ctc_layer_create(sample.module.get(), "down", &layer),
               CTC_INVALID_ARGUMENT,
               "no entry 'down' in the bundle, which has 'up'");
  EXPECT_EQ(layer, nullptr);

  Bundle two = onlySm80();
  auto &entries = two.images[0].manifest.entries;
  entries.push_back(entries[0]);
  entries[1].name = "up2";
  const auto bundle = open(two);
  const auto module = runtime::Module::load(bundle, sample.device);
  EXPECT_FAILS(ctc_layer_create(module.get(), nullptr, &layer),
               CTC_INVALID_ARGUMENT,
               "the bundle has 2 entries, name the one to take: 'up', 'up2'");
  const auto second = runtime::Layer::create(module, "up2");
  size_t index = 0;
  ASSERT_GOOD(ctc_layer_get_entry(second.get(), &index));
  EXPECT_EQ(index, 1u);
}

TEST_F(LaunchErrors, LaunchBeforePrepare) {
  Loaded sample(onlySm80());
  EXPECT_FAILS(launch(sample, 2, kGood), CTC_NOT_PREPARED,
               "the weights of entry 'up' are not prepared; prepare the layer "
               "before launching it");
  ASSERT_GOOD(ctc_layer_use_packed(sample.layer.get(), 0x2000));
  EXPECT_EQ(launch(sample, 2, kGood), CTC_OK);
}

TEST_F(LaunchErrors, FailedPreparationLeavesTheLayerUnprepared) {
  Loaded sample(onlySm80());
  fake().failures["cuLaunchKernel"] = 700;
  EXPECT_FAILS(ctc_layer_prepare(sample.layer.get(), 0x1000, 0x2000, nullptr),
               CTC_DEVICE_ERROR,
               "kernel 'up_prepare': cuLaunchKernel failed: "
               "CUDA_ERROR_ILLEGAL_ADDRESS (words about 700)");
  EXPECT_EQ(launch(sample, 2, kGood), CTC_NOT_PREPARED);
}

TEST_F(LaunchErrors, Weights) {
  Loaded sample(onlySm80());
  ctc_layer *layer = sample.layer.get();
  EXPECT_FAILS(ctc_layer_prepare(layer, 0, 0x2000, nullptr),
               CTC_INVALID_ARGUMENT, "the address of argument 'w' is 0");
  EXPECT_FAILS(ctc_layer_prepare(layer, 0x1008, 0x2000, nullptr),
               CTC_INVALID_ARGUMENT,
               "the address of argument 'w' is 0x1008, must be a multiple of "
               "16");
  EXPECT_FAILS(ctc_layer_prepare(layer, 0x1000, 0x2004, nullptr),
               CTC_INVALID_ARGUMENT,
               "the address of the packed weights is 0x2004, must be a "
               "multiple of 16");
  EXPECT_FAILS(ctc_layer_use_packed(layer, 0), CTC_INVALID_ARGUMENT,
               "the address of the packed weights is 0");
  fake().failures["cuMemAlloc"] = 2;
  EXPECT_FAILS(ctc_layer_prepare(layer, 0x1000, 0, nullptr), CTC_OUT_OF_MEMORY,
               "allocating 256 bytes: cuMemAlloc failed: "
               "CUDA_ERROR_OUT_OF_MEMORY (words about 2)");
  EXPECT_TRUE(fake().launches.empty());
}

TEST_F(LaunchErrors, Addresses) {
  Loaded sample(onlySm80());
  sample.layer.prepare(0x1000, 0x2000);
  EXPECT_FAILS(launch(sample, 2, {0x3000, 0x4000, 0x5000}),
               CTC_INVALID_ARGUMENT,
               "got 3 addresses, a launch of entry 'up' takes 4");
  EXPECT_FAILS(launch(sample, 2, {0x3000, 0x4000, 0x5000, 0x6000, 0x7000}),
               CTC_INVALID_ARGUMENT,
               "got 5 addresses, a launch of entry 'up' takes 4");
  EXPECT_FAILS(launch(sample, 2, {0x3000, 0x4000, 0x5000, 0}),
               CTC_INVALID_ARGUMENT, "the address of argument 'y' is 0");
  EXPECT_FAILS(launch(sample, 2, {0x3008, 0x4000, 0x5000, 0x6000}),
               CTC_INVALID_ARGUMENT,
               "the address of argument 'x' is 0x3008, must be a multiple of "
               "16");
  EXPECT_FAILS(ctc_layer_launch(sample.layer.get(), 2, nullptr, 4, nullptr),
               CTC_INVALID_ARGUMENT, "addresses is NULL");
  EXPECT_EQ(fake().launches.size(), 1u);
}

TEST_F(LaunchErrors, Batch) {
  Loaded sample(onlySm80());
  sample.layer.prepare(0x1000, 0x2000);
  EXPECT_FAILS(launch(sample, -1, kGood), CTC_INVALID_ARGUMENT,
               "batch is -1, must be at least 0");
  EXPECT_FAILS(launch(sample, CTC_DYNAMIC, kGood), CTC_INVALID_ARGUMENT,
               "batch is CTC_DYNAMIC, give the number of samples");
  // 3 * ceil(2^31 / 2) blocks
  EXPECT_FAILS(launch(sample, int64_t{1} << 31, kGood), CTC_INVALID_ARGUMENT,
               "a batch of 2147483648 needs 3 * 1073741824 blocks, a grid has "
               "at most 2147483647");

  Bundle fixed = onlySm80();
  Entry &entry = fixed.images[0].manifest.entries[0];
  entry.problem.batch = 4;
  entry.epilogue.operands[0].shape[0] = 4;
  for (size_t i : {0, 4, 5})
    entry.arguments[i].shape[0] = 4;
  Loaded fixedSample(fixed);
  fixedSample.layer.prepare(0x1000, 0x2000);
  EXPECT_FAILS(launch(fixedSample, 3, kGood), CTC_INVALID_ARGUMENT,
               "batch is 3, entry 'up' was compiled for 4");
  EXPECT_EQ(launch(fixedSample, 4, kGood), CTC_OK);
}

TEST_F(LaunchErrors, AnEmptyOutputNeedsNoPreparationItDoesNotHave) {
  Bundle bundle = onlySm80();
  Entry &entry = bundle.images[0].manifest.entries[0];
  entry.prepare.clear();
  entry.run.clear();
  std::erase_if(entry.arguments, [](const Argument &argument) {
    return argument.role == ArgumentRole::PackedWeight;
  });
  Loaded sample(bundle);
  EXPECT_EQ(launch(sample, 2, kGood), CTC_OK);
  EXPECT_TRUE(fake().launches.empty());
}

TEST_F(LaunchErrors, KernelsLaunchedInTwoWays) {
  Bundle bundle = onlySm80();
  Entry &entry = bundle.images[0].manifest.entries[0];
  entry.run[0].kernel = "up_prepare";
  const auto handle = open(bundle);
  const auto device = runtime::Device::open("cuda");
  ctc_module *module = nullptr;
  EXPECT_FAILS(ctc_module_load(handle.get(), device.get(), nullptr, &module),
               CTC_INVALID_BUNDLE,
               "kernel 'up_prepare' is launched with 16 and with 48 bytes of "
               "parameters");
}
} // namespace
