//===- CudaTesting.h - The sample on the recording driver -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_RUNTIME_CUDATESTING_H
#define CTC_TEST_UNIT_RUNTIME_CUDATESTING_H

#include "FakeCuda.h"
#include "RuntimeTesting.h"

#include <dlfcn.h>

namespace ctc::test {

/// The recording driver, the one the library opened.
inline FakeCuda &fake() {
  static FakeCuda *state = [] {
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    auto get = reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "fakeCuda"));
    return get();
  }();
  return *state;
}

class CudaTest : public testing::Test {
protected:
  void SetUp() override {
    fake() = FakeCuda();
    fake().kernels = {{"up_prepare", 2}, {"up_run", 6}};
  }
  void TearDown() override {
    EXPECT_EQ(fake().contextsPushed, 0);
    EXPECT_EQ(fake().contextsRetained, 0);
    EXPECT_EQ(fake().modulesLoaded, 0);
    EXPECT_TRUE(fake().allocations.empty());
  }
};

/// The sample on Fake GPU 0, ready to be prepared.
struct Loaded {
  explicit Loaded(const Bundle &in)
      : bundle(open(in)), device(runtime::Device::open("cuda")),
        module(runtime::Module::load(bundle, device)),
        layer(runtime::Layer::create(module)) {}

  runtime::Bundle bundle;
  runtime::Device device;
  runtime::Module module;
  runtime::Layer layer;
};

/// The sample with its first image only.
inline Bundle onlySm80() {
  Bundle bundle = sampleBundle();
  bundle.images.pop_back();
  return bundle;
}

} // namespace ctc::test

#endif // CTC_TEST_UNIT_RUNTIME_CUDATESTING_H
