//===- DeviceTest.cpp - The same layer on every device --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleLayer.h"

#include <optional>
#include <thread>

using namespace ctc;
using ctc::test::ScaleLayer;

namespace {
/// By the name of the device; skipped where there is none.
class DeviceTest : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    ctc_device *device = nullptr;
    const ctc_status status = ctc_device_open(GetParam(), &device);
    ctc_device_close(device);
    if (status == CTC_NO_DEVICE)
      GTEST_SKIP() << ctc_last_error();
    sample.emplace(GetParam());
  }

  std::optional<ScaleLayer> sample;
};

INSTANTIATE_TEST_SUITE_P(Devices, DeviceTest, testing::Values("cpu", "cuda"),
                         [](const auto &info) {
                           return std::string(info.param);
                         });

TEST_P(DeviceTest, PreparesAndLaunches) {
  EXPECT_EQ(sample->module.info().uses_ptx, 1); // There is no cubin.
  sample->layer.prepare(sample->w.address());
  sample->layer.launch(3, sample->addresses());
  sample->expectSamples(0, 3);
  sample->layer.launch(ScaleLayer::kBatch, sample->addresses());
  sample->expectSamples(0, ScaleLayer::kBatch);
}

TEST_P(DeviceTest, CallersBufferForThePackedWeight) {
  const runtime::Buffer packed(sample->device, sample->layer.packedBytes());
  sample->layer.prepare(sample->w.address(), packed.address());
  float value = 0;
  sample->device.copyOut(&value, packed.address(), 4);
  EXPECT_EQ(value, 6);
  auto other = runtime::Layer::create(sample->module, "scale");
  ASSERT_GOOD(ctc_layer_use_packed(other.get(), packed.address()));
  other.launch(ScaleLayer::kBatch, sample->addresses());
  sample->expectSamples(0, ScaleLayer::kBatch);
}

TEST_P(DeviceTest, EmptyBatch) {
  sample->layer.prepare(sample->w.address());
  sample->layer.launch(0, {0, sample->b.address(), 0});
  sample->expectSamples(0, 0);
}

TEST_P(DeviceTest, LaunchesFromSeveralThreads) {
  sample->layer.prepare(sample->w.address());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j)
        sample->layer.launch(ScaleLayer::kBatch, sample->addresses());
    });
  for (std::thread &thread : threads)
    thread.join();
  sample->expectSamples(0, ScaleLayer::kBatch);
}
} // namespace
