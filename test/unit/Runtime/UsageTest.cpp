//===- UsageTest.cpp - Devices and wrong uses -----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuntimeTesting.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <thread>

using namespace ctc;
using testing::StartsWith;

namespace {
TEST(Usage, UnknownDevices) {
  ctc_device *device = nullptr;
  for (const std::string name : {"", "gpu", "cuda:", "cuda:x", "cuda:-1",
                                 "cuda:1x", "cuda:99999999999", "CPU"})
    EXPECT_FAILS(ctc_device_open(name.c_str(), &device), CTC_INVALID_ARGUMENT,
                 "unknown device '" + name +
                     "', known are cuda, cuda:ORDINAL, cpu and auto");
  EXPECT_FAILS(ctc_device_open(nullptr, &device), CTC_INVALID_ARGUMENT,
               "name is NULL");
}

TEST(Usage, NoDriver) {
  if (void *library = dlopen("libcuda.so.1", RTLD_NOW)) {
    dlclose(library);
    GTEST_SKIP() << "this machine has a CUDA driver";
  }
  ctc_device *device = nullptr;
  EXPECT_EQ(ctc_device_open("cuda", &device), CTC_NO_DEVICE);
  EXPECT_THAT(
      ctc_last_error(),
      StartsWith("no CUDA driver: libcuda.so.1 could not be opened (libcuda."));
  const auto best = runtime::Device::open("auto");
  EXPECT_EQ(best.info().kind, CTC_DEVICE_CPU);
  EXPECT_THAT(best.info().reason, StartsWith("took cpu: no CUDA driver: "));
}

TEST(Usage, CpuDevice) {
  const auto device = runtime::Device::open("cpu");
  EXPECT_EQ(device.info().kind, CTC_DEVICE_CPU);
  EXPECT_STREQ(device.info().name, "PTX machine");
  EXPECT_STREQ(device.info().reason, "");
  const runtime::Buffer buffer(device, 16);
  EXPECT_EQ(buffer.address() % 256, 0u);
  const std::array<uint32_t, 2> in{5, 6};
  std::array<uint32_t, 2> out{};
  device.copyIn(buffer.address() + 8, in.data(), 8);
  device.copyOut(out.data(), buffer.address() + 8, 8);
  EXPECT_EQ(in, out);
  device.fill(buffer.address() + 8, 0xff, 4);
  device.copyOut(out.data(), buffer.address() + 8, 8);
  EXPECT_EQ(out, (std::array<uint32_t, 2>{0xffffffff, 6}));
  device.synchronize();
  EXPECT_THROW(device.copyOut(out.data(), buffer.address() + 12, 8),
               runtime::Error);
  EXPECT_THAT(ctc_last_error(), StartsWith("8 bytes at 0x"));
  EXPECT_EQ(ctc_device_free(device.get(), buffer.address() + 8),
            CTC_INVALID_ARGUMENT);
}

TEST(Usage, MessagesAreOfTheirThread) {
  ctc_device *device = nullptr;
  EXPECT_EQ(ctc_device_open("gpu", &device), CTC_INVALID_ARGUMENT);
  const std::string here = ctc_last_error();
  std::string there = "?";
  std::thread([&] { there = ctc_last_error(); }).join();
  EXPECT_EQ(there, "");
  EXPECT_EQ(ctc_last_error(), here);
}
} // namespace
