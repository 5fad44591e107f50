//===- SplitTest.cpp ------------------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Split reductions of matrix instructions, executed on the cpu device and
// checked as ctc verify does, with kernels that the chooser need not take.

#include "EndToEndTesting.h"

#include <gtest/gtest.h>

using namespace ctc;

namespace {

/// A kernel and the layer that it serves: `input` channels of `width` to
/// `output` channels, kernel 4, stride 2.
struct Case {
  const char *name;
  const char *type, *layout, *precision;
  int input, output, width;
  const char *kernel;
  const char *family = "mma_sync", *chip = "sm_80";

  friend void PrintTo(const Case &one, std::ostream *os) { *os << one.name; }
};

// Chunks that are not full at the end; parts along channels, along positions
// and along both; one, two and three steps a share; 3 shares; stores through
// workgroup memory and from registers; all numbers of stages.
const Case kCases[] = {
    {"PartsOfChannels", "f32", "channels_first", "tf32", 80, 60, 20,
     "lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], "
     "chunk_channels = 32, workers = [1, 1], worker_tile = [16, 64], "
     "stages = 3, clip = false, split = 4"},
    {"PartsOfPositions", "f32", "channels_first", "tf32x3", 40, 16, 40,
     "lanes = positions, batch = 1, box = [32], phases = [2], taps = [4], "
     "chunk_channels = 32, workers = [1, 1], worker_tile = [32, 16], "
     "stages = 2, clip = false, split = 4"},
    {"PartsOfBoth", "f32", "channels_first", "tf32", 64, 64, 40,
     "lanes = positions, batch = 2, box = [16], phases = [2], taps = [4], "
     "chunk_channels = 64, workers = [1, 2], worker_tile = [32, 32], "
     "stages = 2, split = 4"},
    {"ThreeShares", "f32", "channels_first", "tf32", 50, 48, 20,
     "lanes = positions, batch = 1, box = [24], phases = [1], taps = [2], "
     "chunk_channels = 24, workers = [1, 1], worker_tile = [24, 48], "
     "stages = 1, split = 3"},
    {"OneChunk", "f32", "channels_first", "tf32", 24, 32, 20,
     "lanes = positions, batch = 2, box = [8], phases = [1], taps = [2], "
     "chunk_channels = 32, workers = [2, 1], worker_tile = [8, 64], "
     "stages = 4, clip = false, split = 2"},
    {"Pairs", "f16", "channels_first", "tf32", 72, 32, 24,
     "lanes = positions, batch = 1, box = [16], phases = [2], taps = [4], "
     "chunk_channels = 64, workers = [1, 1], worker_tile = [16, 32], "
     "stages = 2, clip = false, split = 4"},
    {"PairsOfBF16", "bf16", "channels_first", "tf32", 70, 32, 17,
     "lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], "
     "chunk_channels = 32, workers = [1, 1], worker_tile = [16, 32], "
     "stages = 1, split = 2"},
    {"LastOneStep", "f32", "channels_last", "tf32", 80, 40, 20,
     "lanes = channels, batch = 1, box = [32], phases = [2], taps = [4], "
     "chunk_channels = 32, workers = [1, 1], worker_tile = [32, 32], "
     "stages = 3, clip = false, split = 4"},
    {"LastTwoSteps", "bf16", "channels_last", "tf32", 128, 64, 20,
     "lanes = channels, batch = 1, box = [16], phases = [1], taps = [2], "
     "chunk_channels = 64, workers = [1, 1], worker_tile = [16, 64], "
     "stages = 2, clip = false, split = 2"},
    {"LastThreeSteps", "f32", "channels_last", "tf32x3", 50, 24, 20,
     "lanes = channels, batch = 2, box = [16], phases = [1], taps = [2], "
     "chunk_channels = 48, workers = [1, 1], worker_tile = [32, 24], "
     "stages = 2, split = 2"},
    {"LastThreeShares", "f16", "channels_last", "tf32", 90, 24, 20,
     "lanes = channels, batch = 1, box = [16], phases = [2], taps = [4], "
     "chunk_channels = 48, workers = [1, 1], worker_tile = [16, 24], "
     "stages = 2, clip = false, split = 3"},
    // Warpgroups: a share's descriptors begin at its own planes, and rows are
    // not interleaved, as parts of a tile are to lie together.
    {"WarpgroupsFirst", "f32", "channels_first", "tf32", 72, 40, 72,
     "lanes = channels, batch = 2, box = [64], phases = [2], taps = [4], "
     "chunk_channels = 32, workers = [4, 1], worker_tile = [32, 40], "
     "stages = 3, clip = false, split = 2",
     "wgmma_ra", "sm_90a"},
    {"WarpgroupsAcross", "bf16", "channels_first", "tf32", 64, 48, 72,
     "lanes = channels, batch = 2, box = [64], phases = [1], taps = [2], "
     "chunk_channels = 32, workers = [4, 2], worker_tile = [32, 24], "
     "stages = 2, split = 2",
     "wgmma_ra", "sm_90a"},
    {"WarpgroupsLast", "f32", "channels_last", "tf32", 80, 32, 72,
     "lanes = channels, batch = 2, box = [64], phases = [1], taps = [2], "
     "chunk_channels = 32, workers = [4, 1], worker_tile = [32, 32], "
     "stages = 4, clip = false, split = 2",
     "wgmma_ra", "sm_90a"},
    {"WarpgroupsLastOfPairs", "f16", "channels_last", "tf32", 128, 32, 72,
     "lanes = channels, batch = 3, box = [80], phases = [1], taps = [2], "
     "chunk_channels = 64, workers = [4, 1], worker_tile = [64, 32], "
     "stages = 1, clip = false, split = 4",
     "wgmma_ra", "sm_90a"}};

std::string moduleOf(const Case &one) {
  const std::string type = one.type;
  auto tensor = [&](int channels, int width) {
    const bool last = std::string(one.layout) == "channels_last";
    return "tensor<3x" + std::to_string(last ? width : channels) + "x" +
           std::to_string(last ? channels : width) + "x" + type + ">";
  };
  const std::string x = tensor(one.input, one.width),
                    y = tensor(one.output, 2 * one.width + 2),
                    w = "tensor<" + std::to_string(one.input) + "x" +
                        std::to_string(one.output) + "x4x" + type + ">";
  const std::string precision =
      type == "f32"
          ? ", precision = #ctc.precision<" + std::string(one.precision) + ">"
          : "";
  return "func.func @layer(%x: " + x + ", %w: " + w + ") -> " + y +
         " {\n  %y = tensor.empty() : " + y +
         "\n  %0 = ctc.conv_transpose ins(%x, %w : " + x + ", " + w +
         ") outs(%y : " + y +
         ") {stride = array<i64: 2>, layout = " + "#ctc.layout<" + one.layout +
         ">" + precision + ", kernel = #ctc.kernel<family = " + one.family +
         ", " + one.kernel + ", source = explicit>} -> " + y +
         "\n  return %0 : " + y + "\n}\n";
}

class Splits : public ::testing::TestWithParam<Case> {};

TEST_P(Splits, GivesTheSum) {
  const Bundle bundle =
      endtoend::compileLayer(moduleOf(GetParam()), GetParam().chip);
  ASSERT_FALSE(bundle.images.empty());
  EXPECT_EQ(endtoend::rejectedBy(bundle), "");
  EXPECT_EQ(endtoend::misuseOf(bundle), std::set<std::string>());
}

// A share that is left out must show, whichever it is.
TEST_P(Splits, LostShareFails) {
  Bundle bundle = endtoend::compileLayer(moduleOf(GetParam()), GetParam().chip);
  ASSERT_FALSE(bundle.images.empty());
  std::string &ptx = bundle.images.front().ptx;
  // The first addition of shares, at the end of the kernel.
  const size_t barrier = ptx.find("add.rn.f32");
  ASSERT_NE(barrier, std::string::npos);
  const size_t first = ptx.find('%', barrier), second = ptx.find(", ", first);
  const size_t third = ptx.find(", ", second + 2), end = ptx.find(';', third);
  ptx.replace(barrier, end - barrier,
              "mov.f32 " + ptx.substr(first, second - first) + ", " +
                  ptx.substr(second + 2, third - second - 2));
  EXPECT_EQ(endtoend::rejectedBy(bundle), "exact random");
}

INSTANTIATE_TEST_SUITE_P(Kernels, Splits, ::testing::ValuesIn(kCases),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });
} // namespace
