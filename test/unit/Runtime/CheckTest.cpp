//===- CheckTest.cpp - Launches that check memory, through the C API ------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScaleLayer.h"
#include "ctc/Runtime/ctc_check.h"

#include <cstring>
#include <gmock/gmock.h>

using namespace ctc;
using ctc::test::scaleBundle;
using ctc::test::ScaleLayer;
using testing::HasSubstr;

namespace {

class CheckTest : public testing::Test, protected ScaleLayer {
protected:
  CheckTest() : ScaleLayer("cpu") {
    EXPECT_EQ(ctc_cpu_check_memory(device.get(), 1), CTC_OK);
  }

  size_t findings() {
    size_t count = ~size_t(0);
    EXPECT_EQ(ctc_cpu_finding_count(device.get(), &count), CTC_OK);
    return count;
  }
  ctc_finding finding(size_t index) {
    ctc_finding result = {};
    EXPECT_EQ(ctc_cpu_get_finding(device.get(), index, &result), CTC_OK);
    return result;
  }
};

/// What was copied in, filled and stored to is written.
TEST_F(CheckTest, NothingIsFound) {
  layer.prepare(w.address());
  layer.launch(kBatch, addresses());
  expectSamples(0, kBatch);
  EXPECT_EQ(findings(), 0u);
}

TEST_F(CheckTest, AnInputThatNothingWrote) {
  layer.prepare(w.address());
  const runtime::Buffer fresh(device, 4 * 4 * kBatch);
  std::vector<uint32_t> values(4 * kBatch);
  device.copyOut(values.data(), fresh.address(), 4 * values.size());
  EXPECT_EQ(values[3], 0xffffffffu);
  auto where = addresses();
  where[0] = fresh.address();
  layer.launch(kBatch, where); // Findings do not fail a launch.
  ASSERT_EQ(findings(), 1u);
  ctc_finding found = finding(0);
  EXPECT_EQ(found.kind, CTC_UNINITIALIZED_READ);
  EXPECT_EQ(found.occurrences, 5u);
  EXPECT_THAT(found.message,
              HasSubstr("kernel 'scale_run', block (0, 0, 0), thread (0, 0, "
                        "0), PTX line "));
  EXPECT_THAT(found.message,
              HasSubstr("'ld.global.f32 %f1, [%rd6];': of the 4 bytes it "
                        "reads from byte 0 on of an allocation of 80 bytes"));
  // The same again is counted, and the message stays where it is.
  const char *message = found.message;
  layer.launch(kBatch, where);
  ASSERT_EQ(findings(), 1u);
  EXPECT_EQ(finding(0).message, message);
  EXPECT_EQ(finding(0).occurrences, 10u);
  // A fill counts as a write.
  device.fill(fresh.address(), 0, 4 * 4 * kBatch);
  layer.launch(kBatch, where);
  EXPECT_EQ(finding(0).occurrences, 10u);
  EXPECT_FAILS(ctc_cpu_get_finding(device.get(), 1, &found),
               CTC_INVALID_ARGUMENT, "no finding 1: the device has 1");
}

TEST_F(CheckTest, CanBeTurnedOff) {
  layer.prepare(w.address());
  ASSERT_GOOD(ctc_cpu_check_memory(device.get(), 0));
  auto where = addresses();
  const runtime::Buffer fresh(device, 4 * 4 * kBatch);
  where[0] = fresh.address();
  layer.launch(kBatch, where);
  EXPECT_EQ(findings(), 0u);
}

/// The limits are those of the chip an image was made for.
TEST_F(CheckTest, KindsHaveNames) {
  EXPECT_STREQ(ctc_finding_kind_name(CTC_RACE), "race");
  EXPECT_STREQ(ctc_finding_kind_name(CTC_MATRIX_REGISTER), "matrix register");
  EXPECT_STREQ(ctc_finding_kind_name(static_cast<ctc_finding_kind>(99)),
               "unknown");
}

TEST_F(CheckTest, NullArguments) {
  size_t count;
  ctc_finding found;
  EXPECT_EQ(ctc_cpu_check_memory(nullptr, 1), CTC_INVALID_ARGUMENT);
  EXPECT_EQ(ctc_cpu_finding_count(nullptr, &count), CTC_INVALID_ARGUMENT);
  EXPECT_EQ(ctc_cpu_finding_count(device.get(), nullptr), CTC_INVALID_ARGUMENT);
  EXPECT_EQ(ctc_cpu_get_finding(nullptr, 0, &found), CTC_INVALID_ARGUMENT);
  EXPECT_EQ(ctc_cpu_get_finding(device.get(), 0, nullptr),
            CTC_INVALID_ARGUMENT);
}

} // namespace
