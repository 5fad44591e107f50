//===- JsonTest.cpp - JSON as ctc prints it -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Json.h"

#include <gtest/gtest.h>
#include <limits>

using namespace ctc;
using namespace ctc::driver;
namespace json = llvm::json;

static std::string printed(const json::Value &value) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printJson(value, os);
  return text;
}

TEST(Json, RoundsTimesToMicroseconds) {
  EXPECT_EQ(printed(roundedSeconds(0.1234564321)), "0.123456\n");
  EXPECT_EQ(printed(roundedSeconds(0.0000016)), "2e-06\n");
  EXPECT_EQ(printed(roundedSeconds(1e-9)), "0\n");
}

TEST(Json, PrintsWhatReadsBackTheSame) {
  EXPECT_EQ(printed(0.1), "0.1\n");
  EXPECT_EQ(printed(int64_t{INT64_MAX}), "9223372036854775807\n");
  EXPECT_EQ(printed(std::numeric_limits<double>::infinity()), "null\n");
  const json::Value value =
      json::Object{{"b", json::Array{1, "x\"", nullptr, true, json::Object{}}},
                   {"a", 1.0 / 3}};
  EXPECT_EQ(printed(value), R"({
  "a": 0.3333333333333333,
  "b": [
    1,
    "x\"",
    null,
    true,
    {}
  ]
}
)");
  EXPECT_EQ(json::parse(printed(value)).get(), value);
}
