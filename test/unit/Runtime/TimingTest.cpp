//===- TimingTest.cpp - Times through the C API ---------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// On the driver over the PTX machine (test/gpu), whose clock advances by 20
// microseconds a launch and stands still otherwise.

#include "ScaleLayer.h"
#include "ctc/Runtime/ctc_timing.h"

#include <cstdlib>

using namespace ctc;
using ctc::test::ScaleLayer;

namespace {
class TimingTest : public testing::Test, protected ScaleLayer {
protected:
  TimingTest() : ScaleLayer("cuda") {
    layer.prepare(w.address());
    EXPECT_EQ(ctc_stream_create(device.get(), &stream), CTC_OK);
    EXPECT_EQ(ctc_event_create(device.get(), &before), CTC_OK);
    EXPECT_EQ(ctc_event_create(device.get(), &after), CTC_OK);
  }
  ~TimingTest() override {
    ctc_event_destroy(before);
    ctc_event_destroy(after);
    ctc_stream_destroy(stream);
  }

  ctc_status launch() {
    const auto where = addresses();
    return ctc_layer_launch(layer.get(), kBatch, where.data(), where.size(),
                            ctc_stream_native(stream));
  }
  ctc_status wait() {
    return ctc_device_synchronize(device.get(), ctc_stream_native(stream));
  }
  double elapsed() {
    double seconds = -1;
    EXPECT_EQ(ctc_event_elapsed(before, after, &seconds), CTC_OK);
    return seconds;
  }

  ctc_stream *stream = nullptr;
  ctc_event *before = nullptr, *after = nullptr;
};

TEST_F(TimingTest, InfoOfTheDevice) {
  ctc_cuda_info info;
  ASSERT_GOOD(ctc_cuda_get_info(device.get(), &info));
  EXPECT_EQ(info.l2_bytes, 65536u);
  EXPECT_EQ(info.multiprocessors, 4);
  EXPECT_EQ(info.driver_version, 13000);
  EXPECT_EQ(info.memory_bytes, uint64_t{1} << 30);
  EXPECT_LT(info.free_bytes, info.memory_bytes);
  const uint64_t freeBefore = info.free_bytes;
  const runtime::Buffer more(device, 4096);
  ASSERT_GOOD(ctc_cuda_get_info(device.get(), &info));
  EXPECT_EQ(freeBefore - info.free_bytes, 4096u);
}

TEST_F(TimingTest, EventsAroundLaunches) {
  ASSERT_NE(ctc_stream_native(stream), nullptr);
  ASSERT_GOOD(ctc_stream_hold(stream));
  ASSERT_GOOD(ctc_event_record(before, stream));
  for (int i = 0; i < 3; ++i)
    ASSERT_GOOD(launch());
  ASSERT_GOOD(ctc_event_record(after, stream));
  ASSERT_GOOD(ctc_stream_release(stream));
  ASSERT_GOOD(wait());
  EXPECT_FLOAT_EQ(static_cast<float>(elapsed()), 60e-6f);
  expectSamples(0, kBatch);
  double seconds = 0;
  EXPECT_FAILS(ctc_event_elapsed(after, before, &seconds), CTC_DEVICE_ERROR,
               "cuEventElapsedTime failed: CUDA_ERROR (of the PTX machine)");
}

TEST_F(TimingTest, HoldsAreBalanced) {
  EXPECT_FAILS(ctc_stream_release(stream), CTC_INVALID_ARGUMENT,
               "the stream is not held");
  ASSERT_GOOD(ctc_stream_hold(stream));
  EXPECT_FAILS(ctc_stream_hold(stream), CTC_INVALID_ARGUMENT,
               "the stream is held already");
  // Destroying it, as the fixture does, releases it.
}

TEST_F(TimingTest, AGraphIsRememberedAndReplayed) {
  ASSERT_GOOD(ctc_stream_begin_capture(stream));
  for (int i = 0; i < 4; ++i)
    ASSERT_GOOD(launch());
  ctc_graph *graph = nullptr;
  ASSERT_GOOD(ctc_stream_end_capture(stream, &graph));
  expectSamples(0, 0); // Nothing was done.
  ASSERT_GOOD(ctc_event_record(before, stream));
  ASSERT_GOOD(ctc_graph_launch(graph, stream));
  ASSERT_GOOD(ctc_graph_launch(graph, stream));
  ASSERT_GOOD(ctc_event_record(after, stream));
  ASSERT_GOOD(wait());
  EXPECT_FLOAT_EQ(static_cast<float>(elapsed()), 160e-6f);
  expectSamples(0, kBatch);
  ctc_graph_destroy(graph);
  EXPECT_FAILS(ctc_stream_end_capture(stream, &graph), CTC_DEVICE_ERROR,
               "cuStreamEndCapture failed: CUDA_ERROR (of the PTX machine)");
  EXPECT_EQ(graph, nullptr);
}

TEST_F(TimingTest, NothingOutlivesItsDevice) {
  ctc_device *other = nullptr;
  ASSERT_GOOD(ctc_device_open("cuda", &other));
  ctc_stream *own = nullptr;
  ASSERT_GOOD(ctc_stream_create(other, &own));
  ctc_device_close(other);
  ASSERT_GOOD(ctc_stream_hold(own));
  ctc_stream_destroy(own);
}

TEST(Timing, NeedsACudaDevice) {
  const auto cpu = runtime::Device::open("cpu");
  const char *message =
      "times are taken on CUDA devices, and this is the cpu device (PTX "
      "machine)";
  ctc_cuda_info info;
  EXPECT_FAILS(ctc_cuda_get_info(cpu.get(), &info), CTC_INVALID_ARGUMENT,
               message);
  ctc_stream *stream = nullptr;
  EXPECT_FAILS(ctc_stream_create(cpu.get(), &stream), CTC_INVALID_ARGUMENT,
               message);
  ctc_event *event = nullptr;
  EXPECT_FAILS(ctc_event_create(cpu.get(), &event), CTC_INVALID_ARGUMENT,
               message);
  EXPECT_EQ(ctc_stream_native(nullptr), nullptr);
  EXPECT_FAILS(ctc_stream_hold(nullptr), CTC_INVALID_ARGUMENT,
               "stream is NULL");
}
} // namespace
