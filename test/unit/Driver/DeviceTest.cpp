//===- DeviceTest.cpp -----------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// What the memory checker finds in one run of several on a device.

#include "Device.h"
#include "Compiler.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/LayerBuilder.h"
#include "ctc/Reference/Fill.h"

#include <gmock/gmock.h>

using namespace ctc;
using namespace ctc::driver;
using testing::HasSubstr;

namespace {
Problem smallProblem() {
  Problem problem;
  problem.inputChannels = 16;
  problem.outputChannels = 8;
  problem.precision = Precision::IEEE;
  SpatialDim dim;
  dim.input = 20;
  dim.kernel = 4;
  dim.stride = 2;
  problem.dims = {dim};
  return problem;
}

Bundle compileProblem(const Problem &problem) {
  CompilerSession session;
  auto module = buildLayer(session.context(), problem, {});
  if (!module) {
    ADD_FAILURE() << module.error().message;
    return {};
  }
  CompileRequest request;
  request.chips = {"sm_80"};
  request.family = "simt";
  request.assemble = false;
  auto bundle = session.compile(**module, request);
  EXPECT_TRUE(bundle) << bundle.error().message;
  return bundle ? *bundle : Bundle();
}

/// Takes the barriers out of the PTX; returns how many there were.
int removeBarriers(std::string &ptx) {
  int count = 0;
  for (size_t at = 0; (at = ptx.find("bar.sync", at)) != std::string::npos;
       ++count)
    ptx.erase(at, ptx.find(';', at) + 1 - at);
  return count;
}

/// What is found in one run that is not in `before`.
std::vector<MemoryFinding> runOnce(const Device &device, const Bundle &bundle,
                                   const std::vector<MemoryFinding> &before) {
  const auto layer = LoadedLayer::load(device, serialize(bundle), "sm_80", "");
  if (!layer) {
    ADD_FAILURE() << layer.error().message;
    return {};
  }
  const Entry &entry = bundle.images.front().manifest.entries.front();
  const auto inputs = makeInputs(entry.problem, {}, {Fill::Exact, 0, {}});
  EXPECT_TRUE(inputs && layer->run(entry, *inputs, entry.problem.batch));
  auto fresh = device.findingsSince(before);
  EXPECT_TRUE(fresh);
  return fresh ? *fresh : std::vector<MemoryFinding>();
}

TEST(Device, FindingsAreThoseOfARun) {
  auto device = Device::open("cpu");
  ASSERT_TRUE(device);
  ASSERT_TRUE(device->checkMemory());
  const Bundle right = compileProblem(smallProblem());
  Bundle racing = right;
  ASSERT_GT(removeBarriers(racing.images.front().ptx), 0);

  EXPECT_EQ(runOnce(*device, right, {}).size(), 0u);
  const auto first = runOnce(*device, racing, {});
  ASSERT_GT(first.size(), 0u);
  EXPECT_EQ(first.front().kind, "race");
  EXPECT_THAT(countFindings(first), HasSubstr("the memory checker found "));
  // A right kernel is not blamed for what was found before.
  EXPECT_EQ(runOnce(*device, right, first).size(), 0u);
  // The same findings again are findings of that run, counted by themselves.
  const auto again = runOnce(*device, racing, first);
  ASSERT_EQ(again.size(), first.size());
  EXPECT_EQ(again.front().message, first.front().message);
  EXPECT_EQ(again.front().occurrences, first.front().occurrences);
}

TEST(Device, CountsFindingsInWords) {
  const MemoryFinding one{"race", "it races", 3};
  EXPECT_EQ(countFindings({one}), "the memory checker found 1 thing");
  EXPECT_EQ(countFindings({one, one}), "the memory checker found 2 things");
}
} // namespace
