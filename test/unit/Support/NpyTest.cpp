//===- NpyTest.cpp - Tensors in NumPy's file format -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Support/Npy.h"

#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace ctc;

namespace {
template <typename T> std::string bytesOf(std::initializer_list<T> values) {
  return {reinterpret_cast<const char *>(values.begin()),
          values.size() * sizeof(T)};
}

/// A file of the given version around a header and elements.
std::string npy(int version, std::string header, const std::string &elements) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(version);
  bytes += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i)
    bytes += static_cast<char>(header.size() >> (8 * i));
  return bytes + header + elements;
}

std::string dictionary(const std::string &descr, const std::string &shape,
                       const std::string &order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order +
         ", 'shape': " + shape + ", }\n";
}

std::string errorOf(const std::string &bytes) {
  auto tensor = parseNpy(bytes, ElementType::F32, "x.npy");
  if (tensor)
    return "no error";
  EXPECT_EQ(tensor.error().code, ErrorCode::Usage);
  return tensor.error().message;
}

class NpyFile : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() /
             ("ctc-npy-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string path(const char *name) const { return folder / name; }
  std::filesystem::path folder;
};
} // namespace

TEST(Npy, ReadsEveryVersionAndType) {
  for (int version : {1, 2, 3}) {
    auto f32 = parseNpy(
        npy(version, dictionary("<f4", "(2, 1)"), bytesOf<float>({1.5f, -2})),
        ElementType::F32, "x");
    ASSERT_TRUE(f32);
    EXPECT_EQ(f32->shape(), (std::vector<int64_t>{2, 1}));
    EXPECT_EQ(f32->get(0), 1.5);
    EXPECT_EQ(f32->get(1), -2);
  }
  auto f16 = parseNpy(
      npy(1, dictionary("<f2", "(2,)"), bytesOf<uint16_t>({0x3c00, 0xc400})),
      ElementType::F32, "x");
  ASSERT_TRUE(f16);
  EXPECT_EQ(f16->get(0), 1);
  EXPECT_EQ(f16->get(1), -4);
  auto scalar = parseNpy(npy(1, dictionary("<f4", "()"), bytesOf<float>({7})),
                         ElementType::F32, "x");
  ASSERT_TRUE(scalar);
  EXPECT_EQ(scalar->count(), 1);
}

TEST(Npy, RoundsToTheTypeOnce) {
  // From float64 straight to f16, not by way of f32.
  auto tensor = parseNpy(npy(1, dictionary("<f8", "(1,)"),
                             bytesOf<double>({1 + 0x1p-11 + 0x1p-40})),
                         ElementType::F16, "x");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->get(0), 1 + 0x1p-10);
}

TEST(Npy, WhatIsWrittenIsRead) {
  for (ElementType type :
       {ElementType::F32, ElementType::F16, ElementType::BF16}) {
    Tensor tensor(type, {2, 3, 5});
    for (int64_t i = 0; i < tensor.count(); ++i)
      tensor.set(i, double(i) / 7 - 1);
    const std::string bytes = formatNpy(tensor);
    EXPECT_EQ(
        (bytes.size() - tensor.count() * (type == ElementType::F16 ? 2 : 4)) %
            64,
        0u);
    auto back = parseNpy(bytes, type, "x");
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, tensor);
  }
  auto empty = parseNpy(formatNpy(Tensor(ElementType::F32, {0, 3})),
                        ElementType::F32, "x");
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->shape(), (std::vector<int64_t>{0, 3}));
}

TEST(Npy, SaysWhatIsWrong) {
  const std::string four = bytesOf<float>({1, 2, 3, 4});
  EXPECT_EQ(errorOf("not numpy"),
            "'x.npy' is not a .npy file: it does not begin with '\\x93NUMPY'");
  EXPECT_EQ(errorOf("\x93NUMPY\x01"), "'x.npy' is truncated in its header");
  EXPECT_EQ(errorOf(npy(1, dictionary("<f4", "(4,)"), four).substr(0, 30)),
            "'x.npy' is truncated in its header");
  EXPECT_EQ(errorOf(npy(9, dictionary("<f4", "(4,)"), four)),
            "'x.npy' has .npy version 9, must be 1, 2 or 3");
  EXPECT_EQ(errorOf(npy(1, dictionary("<f4", "(5,)"), four)),
            "'x.npy' is truncated: its shape 5 needs 20 bytes of elements, "
            "there are 16");
  EXPECT_EQ(errorOf(npy(1, dictionary("<f4", "(3,)"), four)),
            "'x.npy' is too long: its shape 3 needs 12 bytes of elements, "
            "there are 16");
  EXPECT_EQ(errorOf(npy(1, dictionary("<i4", "(4,)"), four)),
            "'x.npy' holds elements of type '<i4', must be little-endian "
            "float16 '<f2', float32 '<f4' or float64 '<f8'");
  EXPECT_EQ(errorOf(npy(1, dictionary(">f4", "(4,)"), four)),
            "'x.npy' holds elements of type '>f4', must be little-endian "
            "float16 '<f2', float32 '<f4' or float64 '<f8'");
  EXPECT_EQ(errorOf(npy(1, dictionary("<f4", "(4,)", "True"), four)),
            "'x.npy' is in Fortran order, must be in C order");
  EXPECT_EQ(errorOf(npy(1, dictionary("<f4", "(-4,)"), four)),
            "'x.npy' has a shape that is no tuple of sizes");
  EXPECT_EQ(errorOf(npy(1, "{'descr': '<f4'}", four)),
            "'x.npy' is not a .npy file: its header lacks descr, "
            "fortran_order or shape");
  EXPECT_EQ(
      errorOf(npy(1, dictionary("<f4", "(4611686018427387904, 4)"), four)),
      "'x.npy' is truncated: its shape 4611686018427387904x4 needs 2^63 "
      "bytes of elements, there are 16");
}

TEST(Npy, TruncationAnywhereIsAnError) {
  const std::string whole =
      npy(1, dictionary("<f4", "(2, 2)"), bytesOf<float>({1, 2, 3, 4}));
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(errorOf(whole.substr(0, size)), "no error") << size;
}

TEST_F(NpyFile, ReadsAndWritesFiles) {
  Tensor tensor(ElementType::F32, {2, 2});
  ASSERT_TRUE(writeNpy(path("a.npy"), tensor));
  EXPECT_TRUE(readNpy(path("a.npy"), ElementType::F32, {2, 2}));
  EXPECT_TRUE(readNpy(path("a.npy"), ElementType::F32, {kDynamic, 2}));
  auto wrong = readNpy(path("a.npy"), ElementType::F32, {2, 3});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message,
            "'" + path("a.npy") + "' has shape 2x2, must be 2x3");
  ASSERT_TRUE(writeNpy(path("one.npy"), Tensor(ElementType::F32, {})));
  auto single = readNpy(path("one.npy"), ElementType::F32, {2, 3});
  ASSERT_FALSE(single);
  EXPECT_EQ(single.error().message,
            "'" + path("one.npy") + "' has no dimensions, must be 2x3");
  auto missing = readNpy(path("b.npy"), ElementType::F32, {2, 3});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message,
            "cannot read '" + path("b.npy") + "': No such file or directory");
  auto directory = readNpy(folder, ElementType::F32, {2, 3});
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().message,
            "cannot read '" + folder.string() + "': Is a directory");
}

TEST_F(NpyFile, AFailedWriteLeavesNothing) {
  const Tensor tensor(ElementType::F32, {2});
  auto failed = writeNpy(path("no/such/folder"), tensor);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::Usage);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}
