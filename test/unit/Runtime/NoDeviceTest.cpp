//===- NoDeviceTest.cpp - A driver that finds no device -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Run with the recording driver told to fail in cuInit, as one does on a
// machine that has the driver's library but no GPU.
//
//===----------------------------------------------------------------------===//

#include "RuntimeTesting.h"

using namespace ctc;

namespace {
constexpr const char *kReason =
    "no CUDA device: cuInit failed: CUDA_ERROR_NO_DEVICE (words about 100)";

TEST(NoDevice, CudaSaysSoAndAutoTakesCpu) {
  ctc_device *device = nullptr;
  EXPECT_FAILS(ctc_device_open("cuda", &device), CTC_NO_DEVICE, kReason);
  const auto cpu = runtime::Device::open("auto");
  EXPECT_EQ(cpu.info().kind, CTC_DEVICE_CPU);
  EXPECT_EQ(cpu.info().reason, std::string("took cpu: ") + kReason);
}
} // namespace
