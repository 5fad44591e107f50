//===- WorkersTest.cpp - Launching recorded cases -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver here is the PTX machine (MachineCuda.cpp).
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <sstream>

using namespace ctc::gpu;
using ::testing::HasSubstr;

namespace {

/// A kernel that stores tid + `add` for 4 threads, after `before`.
std::string text(const std::string &name, uint32_t add,
                 const std::string &before = "") {
  return ".version 8.6\n.target sm_90a\n.address_size 64\n.visible .entry " +
         name +
         "(.param .u64 out)\n{.reg .b32 %t<2>; .reg .b64 %w<2>;\n"
         "ld.param.u64 %w0, [out]; mov.u32 %t0, %tid.x;\n" +
         before + "mad.wide.u32 %w1, %t0, 4, %w0; add.u32 %t0, %t0, " +
         std::to_string(add) + "; st.global.u32 [%w1], %t0; ret;}\n";
}

Bytes words(std::array<uint32_t, 4> values) {
  Bytes bytes(sizeof values);
  std::memcpy(bytes.data(), values.data(), sizeof values);
  return bytes;
}

class WorkersTest : public ::testing::Test {
protected:
  /// A case of a module of its own, which expects 5, 6, 7, 8.
  void add(const std::string &ptx, const std::string &kernel = "k") {
    Case value;
    value.family = "Family";
    value.name = "case " + std::to_string(records.cases.size());
    value.kernel = kernel;
    value.block = {4, 1, 1};
    value.parameters.resize(8);
    value.arguments = {0};
    value.pointers = {{0, 0}};
    value.buffers = {{Bytes(16), words({5, 6, 7, 8}), Element::U32, {}}};
    Module module;
    module.ptx = ptx;
    module.cases = {records.cases.size()};
    module.kernels = {kernel};
    records.cases.push_back(value);
    records.modules.push_back(module);
  }

  /// Puts all cases into the first module, whose text has all kernels.
  void merge() {
    Module all;
    for (const Module &module : records.modules) {
      const size_t entry = module.ptx.find(".visible");
      all.ptx += all.ptx.empty() ? module.ptx : module.ptx.substr(entry);
      all.cases.push_back(module.cases.front());
      all.kernels.push_back(module.kernels.front());
    }
    records.modules = {all};
  }

  std::vector<Status> run(unsigned processes = 2) {
    RunOptions options;
    options.processes = processes;
    options.secondsPerCase = 2;
    auto done = ctc::gpu::run(records, options);
    EXPECT_TRUE(done) << done.error().message;
    if (!done)
      return {};
    results = *done;
    std::vector<Status> statuses;
    for (const CaseResult &result : results.cases)
      statuses.push_back(result.outcome.status);
    return statuses;
  }

  Records records;
  RunResults results;
};

TEST_F(WorkersTest, RightAndWrong) {
  add(text("k", 5));
  add(text("k", 6));
  add(text("k", 5, "nonsense;"));
  EXPECT_THAT(run(), ::testing::ElementsAre(Status::Identical, Status::Differs,
                                            Status::Refused));
  EXPECT_EQ(results.device, "PTX machine, sm_90");
  EXPECT_EQ(
      results.cases[1].message,
      "buffer 0: element 0 is 0x00000006, the PTX machine has 0x00000005");
  EXPECT_EQ(results.cases[1].outcome.differing, 4u);
  EXPECT_THAT(results.cases[2].message, HasSubstr("unknown instruction"));
}

TEST_F(WorkersTest, AFaultSpoilsNothingElse) {
  for (int i = 0; i < 8; ++i) {
    std::string name = "k" + std::to_string(i);
    add(text(name, 5, i == 3 ? "mov.u64 %w0, 16;" : ""), name);
  }
  merge();
  auto statuses = run();
  for (size_t i = 0; i < 8; ++i)
    EXPECT_EQ(statuses[i], i == 3 ? Status::Error : Status::Identical) << i;
  EXPECT_THAT(results.cases[3].message,
              HasSubstr("CUDA_ERROR_ILLEGAL_ADDRESS"));
}

TEST_F(WorkersTest, ALostProcessSpoilsNothingElse) {
  add(text("k0", 5), "k0");
  add(text("lose_process", 5), "lose_process");
  add(text("k2", 5), "k2");
  merge();
  EXPECT_THAT(run(1), ::testing::ElementsAre(Status::Identical, Status::Error,
                                             Status::Identical));
  EXPECT_EQ(results.cases[1].message, "its process was lost");
}

TEST_F(WorkersTest, AHungLaunchIsEnded) {
  add(text("k0", 5), "k0");
  add(text("k1", 5, "again: bra again;\n"), "k1");
  add(text("k2", 5), "k2");
  merge();
  EXPECT_THAT(run(1), ::testing::ElementsAre(Status::Identical, Status::Error,
                                             Status::Identical));
  EXPECT_EQ(results.cases[1].message, "hung for 2 seconds");
}

TEST_F(WorkersTest, ManyModulesInManyProcesses) {
  for (int i = 0; i < 60; ++i)
    add(text("k", i % 10 == 9 ? 6 : 5, i % 20 == 3 ? "mov.u64 %w0, 16;" : ""));
  auto statuses = run(4);
  for (size_t i = 0; i < 60; ++i)
    EXPECT_EQ(statuses[i], i % 10 == 9   ? Status::Differs
                           : i % 20 == 3 ? Status::Error
                                         : Status::Identical)
        << i;
}

/// The record has the output's address, as two arguments of one struct, and
/// then a number; the code has the number first.
TEST_F(WorkersTest, ParametersLieAsTheCodeHasThem) {
  std::string ptx = text("swapped", 0);
  ptx.replace(ptx.find(".param"), 0, ".param .u64 number, ");
  ptx.replace(ptx.find("mad.wide"), 0,
              "ld.param.u32 %t1, [number]; add.u32 %t0, %t0, %t1;\n");
  ptx.replace(ptx.find("mad.wide"), sizeof("mad.wide.u32 %w1, %t0") - 1,
              "mov.u32 %t1, %tid.x; mad.wide.u32 %w1, %t1");
  add(ptx, "swapped");
  Case &value = records.cases.front();
  value.parameters.resize(16);
  value.parameters[8] = std::byte{5};
  value.arguments = {0, 4, 8};
  EXPECT_THAT(run(), ::testing::ElementsAre(Status::Identical));
  EXPECT_EQ(results.cases[0].message, "");
}

TEST_F(WorkersTest, NoDevice) {
  add(text("k", 5));
  RunOptions options;
  options.device = 1;
  auto done = ctc::gpu::run(records, options);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ctc::ErrorCode::NoDevice);
  EXPECT_THAT(done.error().message, HasSubstr("cuDeviceGet failed"));
}

TEST_F(WorkersTest, Reports) {
  add(text("k", 5));
  add(text("k", 6));
  run();
  std::ostringstream table, json;
  printTable(records, results, 5, table);
  printJson(records, results, json);
  EXPECT_THAT(table.str(), HasSubstr("\ndiffers case 1: buffer 0: element 0"));
  EXPECT_THAT(json.str(),
              HasSubstr("\"Family\": {\"identical\": 1, \"nan payload\": 0, "
                        "\"within bound\": 0, \"differs\": 1, \"refused\": 0, "
                        "\"error\": 0, \"elements\": 8, \"differing\": 4,"));
  EXPECT_THAT(json.str(), HasSubstr("{\"name\": \"case 1\", \"status\": "
                                    "\"differs\""));
}

} // namespace
