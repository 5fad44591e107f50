//===- CompareTest.cpp - How far two buffers differ -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include <gtest/gtest.h>

#include <cstring>

using namespace ctc::gpu;

namespace {

template <class T> Bytes bytes(const std::vector<T> &values) {
  Bytes result(values.size() * sizeof(T));
  std::memcpy(result.data(), values.data(), result.size());
  return result;
}

struct Verdict {
  Outcome outcome;
  std::string words;
};

template <class T>
Verdict verdict(Element element, const std::vector<T> &expected,
                const std::vector<T> &got,
                const std::vector<double> &bound = {}) {
  Verdict result;
  result.words =
      compare({Bytes(bytes(expected).size()), bytes(expected), element, bound},
              bytes(got), result.outcome);
  return result;
}

TEST(CompareTest, Identical) {
  auto same = verdict<uint32_t>(Element::F32, {1, 0x7fffffff}, {1, 0x7fffffff});
  EXPECT_EQ(same.outcome.status, Status::Identical);
  EXPECT_EQ(same.outcome.elements, 2u);
  EXPECT_EQ(same.words, "");
}

TEST(CompareTest, UnitsInTheLastPlace) {
  auto across = verdict<uint32_t>(Element::F32, {0x80000002, 0x3f800000},
                                  {0x00000003, 0x3f800001});
  EXPECT_EQ(across.outcome.status, Status::Differs);
  EXPECT_EQ(across.outcome.worstUlps, 5u);
  EXPECT_EQ(across.outcome.differing, 2u);
  auto half =
      verdict<uint16_t>(Element::F16, {0x3c00, 0xbc00}, {0x3c00, 0xbc04});
  EXPECT_EQ(half.outcome.worstUlps, 4u);
  EXPECT_EQ(half.words, "element 1 is 0xbc04 (-1.00390625), the PTX machine "
                        "has 0xbc00 (-1)");
  auto wide = verdict<uint64_t>(Element::F64, {0x3ff0000000000000},
                                {0x3ff0000000000007});
  EXPECT_EQ(wide.outcome.worstUlps, 7u);
}

TEST(CompareTest, SignedZerosDiffer) {
  auto zeros = verdict<uint32_t>(Element::F32, {0}, {0x80000000});
  EXPECT_EQ(zeros.outcome.status, Status::Differs);
  EXPECT_EQ(zeros.outcome.worstUlps, 0u);
}

TEST(CompareTest, NaNs) {
  auto payload = verdict<uint32_t>(Element::F32, {0x7fffffff}, {0xffc00000});
  EXPECT_EQ(payload.outcome.status, Status::NaNPayload);
  auto infinity = verdict<uint32_t>(Element::F32, {0x7f800000}, {0x7f800001});
  EXPECT_EQ(infinity.outcome.status, Status::Differs);
  auto brain = verdict<uint16_t>(Element::BF16, {0x7fff}, {0x7fc0});
  EXPECT_EQ(brain.outcome.status, Status::NaNPayload);
  // In a buffer of words nothing is a NaN.
  auto words = verdict<uint32_t>(Element::U32, {0x7fffffff}, {0xffc00000});
  EXPECT_EQ(words.outcome.status, Status::Differs);
}

TEST(CompareTest, Bounds) {
  const std::vector<float> expected = {1, 2}, got = {1.25f, 2};
  auto within = verdict<float>(Element::F32, expected, got, {0.5, 0});
  EXPECT_EQ(within.outcome.status, Status::WithinBound);
  EXPECT_EQ(within.outcome.worstRatio, 0.5);
  auto beyond = verdict<float>(Element::F32, expected, got, {0.125, 0});
  EXPECT_EQ(beyond.outcome.status, Status::Differs);
  EXPECT_EQ(beyond.outcome.worstRatio, 2);
  auto halves = verdict<uint16_t>(Element::BF16, {0x3f80}, {0x3f81}, {0x1p-7});
  EXPECT_EQ(halves.outcome.status, Status::WithinBound);
  EXPECT_EQ(halves.outcome.worstRatio, 1);
}

TEST(CompareTest, TheWorstElementIsNamed) {
  auto result =
      verdict<uint32_t>(Element::F32, {0x7fffffff, 0, 1}, {0x7fc00000, 0, 2});
  EXPECT_EQ(result.outcome.status, Status::Differs);
  EXPECT_EQ(result.words.substr(0, 9), "element 2");
}

TEST(CompareTest, UnwrittenBuffersAreNotCounted) {
  Outcome outcome;
  const Bytes input(16);
  EXPECT_EQ(compare({input, input, Element::U8, {}}, input, outcome), "");
  EXPECT_EQ(outcome.elements, 0u);
}

} // namespace
