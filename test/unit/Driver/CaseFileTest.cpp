//===- CaseFileTest.cpp - Layers to verify, from JSON ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CaseFile.h"
#include "Scaling.h"
#include "ctc/Reference/Accumulate.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace ctc;
using namespace ctc::driver;

namespace {
const std::string kFolder = CTC_CONFORMANCE_DIR;

std::string caseWith(const std::string &fields) {
  return R"({"cases": [{"name": "a", "N": 2, "Cin": 4, "Cout": 6,
    "spatial": [5, 3], "kernel": [3, 2], "stride": [2, 1],
    "padding": [1, [0, -1]], "output_padding": [0, 1], "dilation": [1, 1],
    "groups": 2, "bias": true)" +
         fields + "}]}";
}

Error errorOf(const std::string &text) {
  auto cases = parseCases(text, "f.json");
  return cases ? Error{ErrorCode::Usage, "no error"} : cases.error();
}
} // namespace

TEST(CaseFile, ReadsEveryField) {
  auto cases = parseCases(caseWith(R"(, "epilogue": ["relu"])"), "f.json");
  ASSERT_TRUE(cases) << cases.error().message;
  ASSERT_EQ(cases->size(), 1u);
  Problem expected{2, 4, 6, 2, {{5, 3, 2, 1, 1, 1, 0}, {3, 2, 1, 1, 0, -1, 1}}};
  expected.bias = true;
  EXPECT_EQ(cases->front().problem, expected);
  EXPECT_EQ(cases->front().name, "a");
  EXPECT_TRUE(cases->front().namesEpilogue);
  EXPECT_FALSE(cases->front().tensors);
}

TEST(CaseFile, SaysWhatIsWrong) {
  EXPECT_EQ(errorOf("[1]").message,
            "'f.json' is no file of cases: it has no list 'cases'");
  EXPECT_EQ(errorOf("{\"cases\": [7]}").message,
            "'f.json', case 0: is no object");
  EXPECT_EQ(errorOf("{\"cases\": [{\"name\": \"a\"}]}").message,
            "'f.json', case 0 'a': has no 'N'");
  EXPECT_EQ(errorOf("{\"cases\": []}").message, "'f.json' has no cases");
  EXPECT_EQ(errorOf("{\"meta\": 7, \"cases\": [], \"case\": 1}").message,
            "'f.json': unknown key 'case', a file of cases has cases, and meta "
            "for what is to be known of them");
  EXPECT_EQ(errorOf("{\"cases\": [{\"name\": \"\"}]}").message,
            "'f.json', case 0: 'name' is empty, must be a text");
  EXPECT_EQ(errorOf("{\"cases\": [{\"name\": \"a\", \"N\": \"1\"}]}").message,
            "'f.json', case 0 'a': 'N' is no integer");
  EXPECT_EQ(errorOf(caseWith(R"(, "strides": [1, 1])")).message,
            "'f.json', case 0 'a': unknown key 'strides', a layer has name, N, "
            "Cin, Cout, spatial, kernel, stride, padding, output_padding, "
            "dilation, groups, bias, out_spatial, x, w, y, b, epilogue");
  EXPECT_EQ(errorOf(caseWith(R"(, "out_spatial": [9, 5])")).message,
            "'f.json', case 0 'a': 'out_spatial' is 9x5, the definition gives "
            "9x6");
  EXPECT_EQ(errorOf(caseWith(R"(, "x": [1])")).message,
            "'f.json', case 0 'a': 'x' is no nested list of shape 2x4x5x3");
  const Error illegal = errorOf(caseWith(R"(, "groups": 3)"));
  EXPECT_EQ(illegal.code, ErrorCode::InvalidProblem);
  EXPECT_EQ(illegal.message,
            "'f.json', case 0 'a': input channels are 4, must be a multiple "
            "of groups 3");
  EXPECT_TRUE(errorOf("{").message.starts_with("'f.json' is no JSON: "));
}

TEST(CaseFile, NestsOnlySoDeep) {
  const std::string why = "'f.json' nests deeper than 100 levels, the most "
                          "there may be, in line ";
  auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(errorOf("\n" + nested(101)).message, why + "2");
  EXPECT_EQ(errorOf(std::string(1000000, '[')).message, why + "1");
  EXPECT_EQ(errorOf("{\"a\\\"[\": " + nested(100) + "}").message, why + "1");
  // Brackets within texts are none, and closed ones count no more.
  const std::string none = "'f.json' is no file of cases: it has no list "
                           "'cases'";
  EXPECT_EQ(errorOf(nested(100)).message, none);
  EXPECT_EQ(errorOf("[\"" + std::string(200, '{') + "\\\"[\"]").message, none);
  std::string many = "[0";
  for (int i = 0; i < 200; ++i)
    many += ", {}";
  EXPECT_EQ(errorOf(many + "]").message, none);
  auto missing = readCases("/no/such/file.json");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot read '/no/such/file.json': No "
                                     "such file or directory");
}

TEST(CaseFile, ReadsTheConformanceFiles) {
  EXPECT_EQ(readCases(kFolder + "/onednn.json").value().size(), 299u);
  EXPECT_EQ(readCases(kFolder + "/onnx.json").value().size(), 14u);
}

TEST(Oracle, AgreesWithOnnx) {
  // x, w, b and y of ONNX's own tests: integers exactly, fractions to f32.
  int exact = 0;
  const auto cases = readCases(kFolder + "/onnx.json");
  ASSERT_TRUE(cases);
  for (const Case &one : *cases) {
    Problem problem = one.problem;
    problem.precision = Precision::IEEE;
    ASSERT_TRUE(one.tensors) << one.name;
    LayerInputs inputs{Tensor(ElementType::F32, problem.inputShape()),
                       Tensor(ElementType::F32, problem.weightShape()),
                       std::nullopt,
                       {}};
    auto fill = [](Tensor &tensor, const std::vector<double> &values) {
      for (int64_t i = 0; i < tensor.count(); ++i)
        tensor.set(i, values[static_cast<size_t>(i)]);
    };
    fill(inputs.input, one.tensors->input);
    fill(inputs.weight, one.tensors->weight);
    if (problem.bias) {
      inputs.bias.emplace(ElementType::F32,
                          std::vector{problem.outputChannels});
      fill(*inputs.bias, one.tensors->bias);
    }
    const Accumulation result = accumulate(problem, inputs);
    ASSERT_EQ(result.value.size(), one.tensors->output.size());
    bool same = true;
    for (size_t i = 0; i < result.value.size(); ++i) {
      same &= result.value[i] == one.tensors->output[i];
      ASSERT_NEAR(result.value[i], one.tensors->output[i], 1e-6) << one.name;
    }
    exact += same;
  }
  EXPECT_EQ(exact, 11);
}

TEST(Scaling, KeepsEverythingButBatchAndSpace) {
  const auto cases = readCases(kFolder + "/onednn.json");
  ASSERT_TRUE(cases);
  for (const Case &one : *cases) {
    const Problem scaled = scaleTo(one.problem, 0.2e9);
    ASSERT_TRUE(verify(scaled)) << one.name;
    Problem same = scaled;
    same.batch = one.problem.batch;
    for (size_t i = 0; i < same.dims.size(); ++i) {
      ASSERT_EQ((same.dims[i].input - one.problem.dims[i].input) % 2, 0);
      same.dims[i].input = one.problem.dims[i].input;
    }
    ASSERT_EQ(same, one.problem) << one.name;
    // What is over the limit cannot get smaller.
    if (usefulMultiplyAdds(scaled) > 0.2e9) {
      EXPECT_EQ(scaled.batch, 1);
      EXPECT_EQ(scaleTo(scaled, 0.2e9), scaled);
    }
    ASSERT_GT(usefulMultiplyAdds(scaled), 0) << one.name;
  }
}

TEST(Scaling, BatchFirstThenSpace) {
  Problem problem{8, 10, 10, 1, {{100, 1, 1, 1, 0, 0, 0}}};
  EXPECT_EQ(usefulMultiplyAdds(problem), 80000);
  EXPECT_EQ(scaleTo(problem, 1e9), problem);
  Problem scaled = scaleTo(problem, 30000);
  EXPECT_EQ(scaled.batch, 3);
  EXPECT_EQ(scaled.dims[0].input, 100);
  scaled = scaleTo(problem, 5000);
  EXPECT_EQ(scaled.batch, 1);
  EXPECT_LE(scaled.dims[0].input, 50);
  EXPECT_EQ(scaled.dims[0].input % 2, 0);
}
