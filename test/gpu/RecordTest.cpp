//===- RecordTest.cpp - Record files --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Record.h"

#include <gtest/gtest.h>

#include <filesystem>

using namespace ctc;
using namespace ctc::gpu;

namespace {

std::string scratch(const std::string &name) {
  return ::testing::TempDir() + "ctc-record-" + name;
}

Bytes bytesOfText(const std::string &text) {
  const auto *begin = reinterpret_cast<const std::byte *>(text.data());
  return {begin, begin + text.size()};
}

Case sample(const std::string &name, const std::string &ptx) {
  Case value;
  value.family = "Family";
  value.name = name;
  value.ptx = ptx;
  value.kernel = "k";
  value.grid = {2, 3, 4};
  value.cluster = {2, 1, 1};
  value.dynamicSharedBytes = 99;
  value.parameters.resize(256);
  value.pointers = {{8, 1}};
  TensorMap map;
  map.parameterOffset = 128;
  map.rank = 2;
  map.sizes = {7, 8};
  map.lowerCorner = {-1, -2, 0};
  value.tensorMaps = {map};
  value.buffers = {
      {bytesOfText("abcdefgh"), bytesOfText("ABCDEFGH"), Element::F32, {1, 2}},
      {bytesOfText("xy"), bytesOfText("xy"), Element::U8, {}}};
  return value;
}

std::string fileOf(const std::string &name, const std::vector<Case> &cases,
                   const std::vector<Module> &modules = {}) {
  const std::string path = scratch(name);
  auto writer = RecordWriter::open(path);
  EXPECT_TRUE(writer);
  for (const Case &value : cases)
    EXPECT_TRUE((*writer)->write(value));
  for (const Module &module : modules)
    EXPECT_TRUE((*writer)->write(module));
  return path;
}

TEST(RecordTest, WhatIsWrittenIsRead) {
  Module module;
  module.ptx = "text";
  module.cubin = bytesOfText("cubin");
  module.error = "words";
  module.cases = {1, 0};
  module.kernels = {"k_0", "k_1"};
  auto records = readRecords(fileOf(
      "whole", {sample("a", "one"), sample("b", "two"), sample("c", "one")},
      {module}));
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->cases.size(), 3u);
  EXPECT_EQ(records->cases[1].ptx, "two");
  EXPECT_EQ(records->cases[2].ptx, "one");
  const Case &value = records->cases[2], expected = sample("c", "one");
  EXPECT_EQ(value.family, "Family");
  EXPECT_EQ(value.name, "c");
  EXPECT_EQ(value.grid, expected.grid);
  EXPECT_EQ(value.cluster, expected.cluster);
  EXPECT_EQ(value.dynamicSharedBytes, 99u);
  EXPECT_EQ(value.parameters, expected.parameters);
  EXPECT_EQ(value.pointers[0].buffer, 1u);
  EXPECT_EQ(value.tensorMaps[0].sizes, expected.tensorMaps[0].sizes);
  EXPECT_EQ(value.tensorMaps[0].lowerCorner[1], -2);
  EXPECT_EQ(value.buffers[0].after, expected.buffers[0].after);
  EXPECT_EQ(value.buffers[0].bound, (std::vector<double>{1, 2}));
  ASSERT_EQ(records->modules.size(), 1u);
  EXPECT_EQ(records->modules[0].cases, module.cases);
  EXPECT_EQ(records->modules[0].kernels, module.kernels);
  EXPECT_EQ(records->modules[0].cubin, module.cubin);
}

TEST(RecordTest, WhatCasesShareIsKeptOnce) {
  Case first = sample("a", std::string(100000, ' '));
  first.buffers[1].before = first.buffers[1].after = Bytes(50000);
  Case second = first;
  second.name = "b";
  EXPECT_LT(std::filesystem::file_size(fileOf("once", {first, second})),
            152000u);
}

TEST(RecordTest, BrokenFiles) {
  const std::string path = fileOf("broken", {sample("a", "one")});
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)),
                          std::istreambuf_iterator<char>());
  const std::string shorter = scratch("shorter");
  size_t whole = 0;
  // Every shorter file ends within an item, but for the ends of blocks.
  for (size_t length = 0; length < bytes.size(); ++length) {
    std::ofstream(shorter, std::ios::binary) << bytes.substr(0, length);
    auto records = readRecords(shorter);
    if (records) {
      ++whole;
      EXPECT_TRUE(records->cases.empty());
    } else if (length < 8) {
      EXPECT_EQ(records.error().message,
                "'" + shorter +
                    "' is not a record file: it must begin with CTCPTX01");
    } else if (length < 8 + 9 + 3) {
      EXPECT_EQ(records.error().message,
                "'" + shorter + "' is broken at byte 8");
    } else {
      EXPECT_NE(records.error().message.find("is broken at byte"),
                std::string::npos);
    }
  }
  // The text, two buffers' contents before and one's after, two bounds.
  EXPECT_EQ(whole, 1u + 6u);
  EXPECT_EQ(readRecords("/nowhere/x").error().message,
            "'/nowhere/x' cannot be read");
  EXPECT_EQ(RecordWriter::open("/nowhere/x").error().message,
            "'/nowhere/x' cannot be written");
}

TEST(RecordTest, NumbersStayWithinTheCase) {
  Case buffer = sample("a", "one"), offset = buffer, bound = buffer,
       after = buffer;
  buffer.pointers[0].buffer = 2;
  offset.tensorMaps[0].parameterOffset = 129;
  bound.buffers[0].bound.pop_back();
  after.buffers[0].after.pop_back();
  for (const Case &value : {buffer, offset, bound, after})
    EXPECT_FALSE(readRecords(fileOf("numbers", {value})));
}

} // namespace
