//===- CudaTest.cpp - The cuda device on a recording driver ---------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CudaTesting.h"
#include "ctc/Runtime/ctc_check.h"
#include "ctc/Runtime/ctc_timing.h"

#include <gmock/gmock.h>

using namespace ctc;
using ctc::test::CudaTest;
using ctc::test::fake;
using ctc::test::Loaded;
using ctc::test::onlySm80;
using testing::ElementsAre;

namespace {
Bundle onlySm90(bool programmatic) {
  Bundle bundle{"ctc 0.1.0 (test)", {test::sampleImage("sm_90a")}};
  bundle.images[0].manifest.entries[0].run[0].programmatic = programmatic;
  return bundle;
}

TEST_F(CudaTest, OpenTellsWhatThereIs) {
  const auto device = runtime::Device::open("cuda:1");
  const auto info = device.info();
  EXPECT_EQ(info.kind, CTC_DEVICE_CUDA);
  EXPECT_STREQ(info.name, "Fake GPU 1");
  EXPECT_EQ(info.ordinal, 1);
  EXPECT_EQ(info.compute_major, 9);
  EXPECT_EQ(info.compute_minor, 0);
  EXPECT_STREQ(info.reason, "");
  EXPECT_STREQ(runtime::Device::open("auto").info().reason,
               "took cuda: found Fake GPU 0");
}

TEST_F(CudaTest, MissingDevices) {
  ctc_device *device = nullptr;
  EXPECT_FAILS(ctc_device_open("cuda:2", &device), CTC_NO_DEVICE,
               "no CUDA device 2: the driver sees 2");
  fake().deviceCount = 0;
  EXPECT_FAILS(ctc_device_open("cuda", &device), CTC_NO_DEVICE,
               "no CUDA device 0: the driver sees 0");
  const auto cpu = runtime::Device::open("auto");
  EXPECT_EQ(cpu.info().kind, CTC_DEVICE_CPU);
  EXPECT_STREQ(cpu.info().reason,
               "took cpu: no CUDA device 0: the driver sees 0");
}

TEST_F(CudaTest, MemoryGoesThroughTheDriver) {
  const auto device = runtime::Device::open("cuda");
  {
    const runtime::Buffer buffer(device, 12), empty(device, 0);
    EXPECT_NE(buffer.address(), empty.address());
    const std::array<uint32_t, 3> in{1, 2, 3};
    std::array<uint32_t, 3> out{};
    device.copyIn(buffer.address(), in.data(), sizeof(in));
    device.copyOut(out.data(), buffer.address(), sizeof(out));
    EXPECT_EQ(in, out);
    EXPECT_EQ(fake().synchronizations, 2);
    device.fill(buffer.address(), 0xff, 4);
    device.copyOut(out.data(), buffer.address(), sizeof(out));
    EXPECT_THAT(out, ElementsAre(0xffffffffu, 2u, 3u));
  }
  EXPECT_TRUE(fake().allocations.empty());
  fake().failures["cuMemAlloc"] = 2;
  uint64_t address = 0;
  EXPECT_FAILS(ctc_device_allocate(device.get(), 64, &address),
               CTC_OUT_OF_MEMORY,
               "allocating 64 bytes: cuMemAlloc failed: "
               "CUDA_ERROR_OUT_OF_MEMORY (words about 2)");
  fake().failures["cuStreamSynchronize"] = 700;
  EXPECT_FAILS(ctc_device_synchronize(device.get(), nullptr), CTC_DEVICE_ERROR,
               "cuStreamSynchronize failed: CUDA_ERROR_ILLEGAL_ADDRESS (words "
               "about 700)");
}

TEST_F(CudaTest, TakesTheCubinOfTheDeviceElsePtx) {
  const auto bundle = test::open(test::sampleBundle());
  const auto device = runtime::Device::open("cuda");
  EXPECT_STREQ(runtime::Module::load(bundle, device).info().chip, "sm_90a");
  EXPECT_THAT(fake().loadedImages, ElementsAre("cubin"));

  const auto asked = runtime::Module::load(bundle, device, "sm_80");
  EXPECT_STREQ(asked.info().chip, "sm_80");
  EXPECT_EQ(asked.info().image, 0u);
  EXPECT_EQ(asked.info().uses_ptx, 1);
  EXPECT_EQ(fake().loadedImages.back(), test::sampleImage("sm_80").ptx);
}

TEST_F(CudaTest, WrongChip) {
  const auto bundle = test::open(test::sampleBundle());
  ctc_module *module = nullptr;
  fake().major = 7, fake().minor = 5;
  const auto turing = runtime::Device::open("cuda");
  EXPECT_FAILS(ctc_module_load(bundle.get(), turing.get(), nullptr, &module),
               CTC_NO_IMAGE,
               "Fake GPU 0: nothing in the bundle runs on compute capability "
               "7.5: it has sm_80, sm_90a");
  fake().major = 10, fake().minor = 0;
  const auto blackwell = runtime::Device::open("cuda");
  EXPECT_FAILS(
      ctc_module_load(bundle.get(), blackwell.get(), "sm_90a", &module),
      CTC_NO_IMAGE,
      "Fake GPU 0: nothing in the bundle runs on compute capability "
      "10.0: it has sm_90a");
  EXPECT_FAILS(ctc_module_load(bundle.get(), blackwell.get(), "sm_89", &module),
               CTC_NO_IMAGE,
               "no image for 'sm_89' in the bundle, which has sm_80, sm_90a");
  EXPECT_EQ(module, nullptr);
}

TEST_F(CudaTest, ModulesTheDriverRefuses) {
  const auto bundle = test::open(test::sampleBundle());
  const auto device = runtime::Device::open("cuda");
  ctc_module *module = nullptr;
  fake().failures["cuModuleLoadDataEx"] = 218;
  EXPECT_FAILS(ctc_module_load(bundle.get(), device.get(), "sm_80", &module),
               CTC_DEVICE_ERROR,
               "the PTX for sm_80 on Fake GPU 0: cuModuleLoadDataEx failed: "
               "CUDA_ERROR_INVALID_PTX (words about 218): line 3: no such "
               "thing");
  fake().kernels.erase("up_run");
  EXPECT_FAILS(ctc_module_load(bundle.get(), device.get(), nullptr, &module),
               CTC_INVALID_BUNDLE,
               "kernel 'up_run': cuModuleGetFunction failed: "
               "CUDA_ERROR_NOT_FOUND (words about 500)");
}

TEST_F(CudaTest, OptsInToDynamicSharedMemory) {
  const Loaded sample(test::sampleBundle());
  EXPECT_EQ(fake().dynamicSharedAllowed,
            (std::map<std::string, int>{{"up_run", 200000}}));
}

TEST_F(CudaTest, PrepareAndLaunchPassWhatTheManifestSays) {
  Loaded sample(onlySm80());
  int streamA = 0, streamB = 0;
  sample.layer.prepare(0x1000, 0x2000, &streamA);
  const auto allocationsBefore = fake().allocations.size();
  sample.layer.launch(5, {0x3000, 0x4000, 0x5000, 0x6000}, &streamB);
  EXPECT_EQ(fake().allocations.size(), allocationsBefore);
  EXPECT_EQ(fake().synchronizations, 0);

  ASSERT_EQ(fake().launches.size(), 2u);
  const FakeCuda::Launch &prepare = fake().launches[0];
  EXPECT_EQ(prepare.kernel, "up_prepare");
  EXPECT_THAT(prepare.grid, ElementsAre(1, 1, 1));
  EXPECT_THAT(prepare.block, ElementsAre(32, 1, 1));
  EXPECT_EQ(prepare.stream, &streamA);
  EXPECT_THAT(prepare.parameters, ElementsAre(0x1000, 0x2000));
  const FakeCuda::Launch &run = fake().launches[1];
  EXPECT_EQ(run.kernel, "up_run");
  EXPECT_THAT(run.grid, ElementsAre(9, 1, 1)); // 3 * ceil(5 / 2)
  EXPECT_THAT(run.block, ElementsAre(64, 2, 1));
  EXPECT_EQ(run.dynamicSharedBytes, 4096u);
  EXPECT_EQ(run.stream, &streamB);
  EXPECT_THAT(run.parameters,
              ElementsAre(0x3000, 0x2000, 0x4000, 0x5000, 0x6000, 5));
}

TEST_F(CudaTest, KernelsThatWaitThemselvesAreLaunchedProgrammatically) {
  const auto launchOf = [&](bool waits, int driverVersion) {
    fake().driverVersion = driverVersion;
    Loaded sample(onlySm90(waits));
    sample.layer.prepare(0x1000, 0x2000);
    int stream = 0;
    sample.layer.launch(5, {0x3000, 0x4000, 0x5000, 0x6000}, &stream);
    EXPECT_FALSE(fake().launches[fake().launches.size() - 2].programmatic);
    FakeCuda::Launch run = fake().launches.back();
    EXPECT_EQ(run.kernel, "up_run");
    EXPECT_THAT(run.grid, ElementsAre(9, 1, 1));
    EXPECT_THAT(run.block, ElementsAre(64, 2, 1));
    EXPECT_EQ(run.dynamicSharedBytes, 4096u);
    EXPECT_EQ(run.stream, &stream);
    EXPECT_THAT(run.parameters,
                ElementsAre(0x3000, 0x2000, 0x4000, 0x5000, 0x6000, 5));
    return run;
  };
  EXPECT_TRUE(launchOf(true, 12030).programmatic);
  EXPECT_TRUE(launchOf(true, 13000).programmatic);
  EXPECT_FALSE(launchOf(false, 13000).programmatic);
  // Its stream capture would not know them.
  EXPECT_FALSE(launchOf(true, 12020).programmatic);
}

TEST_F(CudaTest, ADriverThatDoesNotTellItsVersionIsAnError) {
  fake().failures["cuDriverGetVersion"] = 100;
  ctc_device *device = nullptr;
  EXPECT_FAILS(ctc_device_open("cuda", &device), CTC_DEVICE_ERROR,
               "cuDriverGetVersion failed: CUDA_ERROR_NO_DEVICE (words about "
               "100)");
}

TEST_F(CudaTest, LibraryMadePackedBufferLivesWithTheLayer) {
  Loaded sample(onlySm80());
  EXPECT_EQ(sample.layer.packedBytes(), 256u);
  sample.layer.prepare(0x1000);
  ASSERT_EQ(fake().allocations.size(), 1u);
  uint64_t packed = 0;
  ASSERT_GOOD(ctc_layer_get_packed(sample.layer.get(), &packed));
  EXPECT_EQ(reinterpret_cast<void *>(packed),
            fake().allocations.begin()->first);
  EXPECT_THAT(fake().launches[0].parameters, ElementsAre(0x1000, packed));
  sample.layer.prepare(0x1800);
  EXPECT_EQ(fake().allocations.size(), 1u);
}

TEST_F(CudaTest, SeveralPackedWeightsShareOneBuffer) {
  Bundle bundle = onlySm80();
  Entry &entry = bundle.images[0].manifest.entries[0];
  entry.arguments.push_back(
      {"packed2", ArgumentRole::PackedWeight, ElementType::BF16, {3}});
  entry.prepare[0].arguments = {1, 6, 2};
  fake().kernels["up_prepare"] = 3;
  Loaded sample(bundle);
  EXPECT_EQ(sample.layer.packedBytes(), 512u);
  sample.layer.prepare(0x1000, 0x2000);
  EXPECT_THAT(fake().launches[0].parameters,
              ElementsAre(0x1000, 0x2100, 0x2000));
}

TEST_F(CudaTest, EmptyBatchLaunchesNothing) {
  Loaded sample(onlySm80());
  sample.layer.prepare(0x1000, 0x2000);
  sample.layer.launch(0, {0, 0x4000, 0, 0});
  EXPECT_EQ(fake().launches.size(), 1u);
}

TEST_F(CudaTest, LaunchFailuresNameTheKernel) {
  const auto expectFailureOf = [](const std::string &call,
                                  const Bundle &bundle) {
    Loaded sample(bundle);
    sample.layer.prepare(0x1000, 0x2000);
    fake().failures[call] = 700;
    const std::array<uint64_t, 4> addresses{0x3000, 0x4000, 0x5000, 0x6000};
    EXPECT_FAILS(
        ctc_layer_launch(sample.layer.get(), 5, addresses.data(), 4, nullptr),
        CTC_DEVICE_ERROR,
        "kernel 'up_run': " + call +
            " failed: CUDA_ERROR_ILLEGAL_ADDRESS (words about 700)");
  };
  expectFailureOf("cuLaunchKernel", onlySm80());
  expectFailureOf("cuLaunchKernelEx", onlySm90(/*programmatic=*/true));
}

TEST_F(CudaTest, PushesItsContextUnlessItIsCurrent) {
  Loaded sample(onlySm80());
  const std::vector<uint64_t> addresses{0x3000, 0x4000, 0x5000, 0x6000};
  const auto pushesOfALaunch = [&](void *callers) {
    fake().callersContext = callers;
    const int before = fake().pushes;
    sample.layer.launch(5, addresses);
    EXPECT_EQ(fake().contextsPushed, 0);
    return fake().pushes - before;
  };
  sample.layer.prepare(0x1000, 0x2000);
  int another = 0;
  EXPECT_EQ(pushesOfALaunch(nullptr), 1);
  EXPECT_EQ(pushesOfALaunch(&another), 1);
  EXPECT_EQ(pushesOfALaunch(&fake()), 0);
  fake().failures["cuCtxGetCurrent"] = 1;
  EXPECT_EQ(pushesOfALaunch(&fake()), 1);
  EXPECT_EQ(fake().launches.size(), 5u);

  fake().callersContext = nullptr;
  fake().failures["cuCtxPushCurrent"] = 2;
  EXPECT_FAILS(
      ctc_layer_launch(sample.layer.get(), 5, addresses.data(), 4, nullptr),
      CTC_OUT_OF_MEMORY,
      "kernel 'up_run': cuCtxPushCurrent failed: CUDA_ERROR_OUT_OF_MEMORY "
      "(words about 2)");
}

TEST_F(CudaTest, HandlesMayBeReleasedInAnyOrder) {
  Loaded sample(onlySm80());
  sample.bundle = runtime::Bundle();
  sample.module = runtime::Module();
  sample.device = runtime::Device();
  sample.layer.prepare(0x1000);
  sample.layer.launch(1, {0x3000, 0x4000, 0x5000, 0x6000});
  EXPECT_EQ(fake().launches.size(), 2u);
}

TEST_F(CudaTest, CpuExtensionsAreRefused) {
  Loaded sample(onlySm80());
  ctc_cpu_statistics statistics;
  EXPECT_FAILS(ctc_cpu_get_statistics(sample.device.get(), &statistics),
               CTC_INVALID_ARGUMENT, "'Fake GPU 0' is not the cpu device");
  EXPECT_FAILS(ctc_cpu_set_threads(sample.device.get(), 2),
               CTC_INVALID_ARGUMENT, "'Fake GPU 0' is not the cpu device");
  EXPECT_FAILS(ctc_cpu_check_memory(sample.device.get(), 1),
               CTC_INVALID_ARGUMENT, "'Fake GPU 0' is not the cpu device");
  const std::array<uint64_t, 4> addresses{0x3000, 0x4000, 0x5000, 0x6000};
  EXPECT_FAILS(ctc_cpu_launch_blocks(sample.layer.get(), 0, 1, addresses.data(),
                                     4, addresses.data(), 1),
               CTC_INVALID_ARGUMENT, "'Fake GPU 0' is not the cpu device");
}

TEST_F(CudaTest, ADriverWithoutTimesStillLaunches) {
  const auto device = runtime::Device::open("cuda");
  ctc_stream *stream = nullptr;
  EXPECT_FAILS(ctc_stream_create(device.get(), &stream), CTC_DEVICE_ERROR,
               "no usable CUDA driver: libcuda.so.1 has no function "
               "cuMemGetInfo_v2");
  EXPECT_EQ(stream, nullptr);
}
} // namespace
