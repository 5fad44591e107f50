//===- ScaleLayer.h - A layer that can really be launched -------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_RUNTIME_SCALELAYER_H
#define CTC_TEST_UNIT_RUNTIME_SCALELAYER_H

#include "RuntimeTesting.h"

#include <numeric>

namespace ctc::test {

// A 1x1 layer of one channel: y[i] = x[i] * w + b, and the packed weight is
// twice the weight so that using the wrong one would show. One block of 4
// threads per sample of 4 positions.
inline constexpr const char *kScalePtx = R"(
.version 8.0
.target sm_80
.address_size 64

.visible .entry scale_prepare(
  .param .u64 scale_prepare_param_0,
  .param .u64 scale_prepare_param_1
)
{
  .reg .b64 %rd<3>;
  .reg .f32 %f<3>;
  ld.param.u64 %rd1, [scale_prepare_param_0];
  ld.param.u64 %rd2, [scale_prepare_param_1];
  ld.global.f32 %f1, [%rd1];
  add.rn.f32 %f2, %f1, %f1;
  st.global.f32 [%rd2], %f2;
  ret;
}

.visible .entry scale_run(
  .param .u64 scale_run_param_0,
  .param .u64 scale_run_param_1,
  .param .u64 scale_run_param_2,
  .param .u64 scale_run_param_3,
  .param .u64 scale_run_param_4
)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<8>;
  .reg .f32 %f<5>;
  ld.param.u64 %rd1, [scale_run_param_0];
  ld.param.u64 %rd2, [scale_run_param_1];
  ld.param.u64 %rd3, [scale_run_param_2];
  ld.param.u64 %rd4, [scale_run_param_3];
  mov.u32 %r1, %ctaid.x;
  mov.u32 %r2, %tid.x;
  mad.lo.s32 %r3, %r1, 4, %r2;
  mul.wide.u32 %rd5, %r3, 4;
  add.s64 %rd6, %rd1, %rd5;
  add.s64 %rd7, %rd4, %rd5;
  ld.global.f32 %f1, [%rd6];
  ld.global.f32 %f2, [%rd2];
  ld.global.f32 %f3, [%rd3];
  fma.rn.f32 %f4, %f1, %f2, %f3;
  st.global.f32 [%rd7], %f4;
  ret;
}
)";

inline Bundle scaleBundle() {
  Entry entry;
  entry.name = "scale";
  entry.problem.batch = kDynamic;
  entry.problem.dims = {SpatialDim{.input = 4}};
  entry.problem.bias = true;
  entry.arguments = {
      {"x", ArgumentRole::Input, ElementType::F32, {kDynamic, 1, 4}},
      {"w", ArgumentRole::Weight, ElementType::F32, {1, 1, 1}},
      {"packed", ArgumentRole::PackedWeight, ElementType::F32, {1}},
      {"b", ArgumentRole::Bias, ElementType::F32, {1}},
      {"y", ArgumentRole::Output, ElementType::F32, {kDynamic, 1, 4}}};
  entry.prepare = {{"scale_prepare", {1, 2}, false, {1, 0}, {1, 1, 1}, 0}};
  entry.run = {{"scale_run", {0, 2, 3, 4}, true, {1, 1}, {4, 1, 1}, 0}};
  ChipImage image;
  image.chip = "sm_80";
  image.manifest.entries = {entry};
  image.ptx = kScalePtx;
  ChipImage second = image;
  second.chip = "sm_90a";
  return {"test", {image, second}};
}

/// The layer on a device with w = 3 and b = 0.5 in memory.
struct ScaleLayer {
  static constexpr int64_t kBatch = 5;

  explicit ScaleLayer(const std::string &name)
      : bundle(open(scaleBundle())), device(runtime::Device::open(name)),
        module(runtime::Module::load(bundle, device)),
        layer(runtime::Layer::create(module)), x(device, 4 * 4 * kBatch),
        w(device, 4), b(device, 4), y(device, 4 * 4 * kBatch) {
    std::vector<float> values(4 * kBatch);
    std::iota(values.begin(), values.end(), 0.f);
    const float weight = 3, bias = 0.5;
    device.copyIn(x.address(), values.data(), 4 * values.size());
    device.copyIn(w.address(), &weight, 4);
    device.copyIn(b.address(), &bias, 4);
    device.fill(y.address(), 0xff, 4 * 4 * kBatch);
  }

  std::vector<uint64_t> addresses() const {
    return {x.address(), b.address(), y.address()};
  }
  std::vector<float> output() const {
    std::vector<float> values(4 * kBatch);
    device.copyOut(values.data(), y.address(), 4 * values.size());
    return values;
  }
  /// 2 * 3 * x + 0.5, and NaN behind the samples that were launched.
  void expectSamples(int64_t first, int64_t last) const {
    const auto values = output();
    for (int64_t i = 0; i < 4 * kBatch; ++i)
      if (i / 4 >= first && i / 4 < last)
        EXPECT_EQ(values[i], 6.f * float(i) + 0.5f) << i;
      else
        EXPECT_NE(values[i], values[i]) << i;
  }

  runtime::Bundle bundle;
  runtime::Device device;
  runtime::Module module;
  runtime::Layer layer;
  runtime::Buffer x, w, b, y;
};

} // namespace ctc::test

#endif // CTC_TEST_UNIT_RUNTIME_SCALELAYER_H
