//===- MutantTest.cpp - Wrong kernels must fail the check -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels with a mistake planted in their PTX, executed on the cpu device and
// checked as ctc verify does. The kernel without one passes, so it is the
// mistake that the check rejects.
//
//===----------------------------------------------------------------------===//

#include "EndToEndTesting.h"

#include <gtest/gtest.h>
#include <regex>

using namespace ctc;
using endtoend::misuseOf;
using endtoend::rejectedBy;

namespace {

/// A way to compute the layer below: two grouped phases of two taps, chunks of
/// 16 channels, a box that is not full at the end.
struct Way {
  const char *name, *chip, *layout, *precision;
  const char *kernel; ///< What is not the same for all.
  int width;          ///< Of the input.

  friend void PrintTo(const Way &way, std::ostream *os) { *os << way.name; }
};

const Way kMmaFirst{"MmaFirst",
                    "sm_80",
                    "channels_first",
                    "tf32",
                    "family = mma_sync, lanes = positions, box = [16], "
                    "workers = [1, 1], stages = 2",
                    24};
const Way kMmaLast{"MmaLast",
                   "sm_80",
                   "channels_last",
                   "tf32",
                   "family = mma_sync, lanes = channels, box = [16], "
                   "workers = [1, 1], stages = 2",
                   24};
const Way kMmaThree{"MmaThree",
                    "sm_80",
                    "channels_first",
                    "tf32x3",
                    "family = mma_sync, lanes = positions, box = [16], "
                    "workers = [1, 1], stages = 2",
                    24};
const Way kWgmmaFirst{"WgmmaFirst",
                      "sm_90a",
                      "channels_first",
                      "tf32",
                      "family = wgmma_ra, lanes = channels, box = [64], "
                      "workers = [4, 1], stages = 2",
                      72};
/// Multiplications are under way with those of the next chunk.
const Way kWgmmaLast{"WgmmaLast",
                     "sm_90a",
                     "channels_last",
                     "tf32",
                     "family = wgmma_ra, lanes = channels, box = [64], "
                     "workers = [4, 1], stages = 3",
                     72};
const Way kWgmmaUnderWay{"WgmmaUnderWay",
                         "sm_90a",
                         "channels_first",
                         "tf32",
                         "family = wgmma_ra, lanes = channels, box = [64], "
                         "workers = [4, 1], stages = 3",
                         72};

std::string moduleOf(const Way &way, ElementType type) {
  const std::string element(name(type));
  auto tensor = [&](int channels, int width) {
    const bool last = std::string(way.layout) == "channels_last";
    return "tensor<1x" + std::to_string(last ? width : channels) + "x" +
           std::to_string(last ? channels : width) + "x" + element + ">";
  };
  const std::string x = tensor(64, way.width),
                    y = tensor(16, 2 * way.width + 2),
                    w = "tensor<64x16x4x" + element + ">",
                    precision =
                        type == ElementType::F32 ? way.precision : "tf32";
  return "func.func @layer(%x: " + x + ", %w: " + w + ") -> " + y +
         " {\n  %y = tensor.empty() : " + y +
         "\n  %0 = ctc.conv_transpose ins(%x, %w : " + x + ", " + w +
         ") outs(%y : " + y +
         ") {stride = array<i64: 2>, layout = #ctc.layout<" + way.layout +
         ">, precision = #ctc.precision<" + precision +
         ">, kernel = #ctc.kernel<" + way.kernel +
         ", batch = 1, phases = [2], taps = [4], chunk_channels = 16, "
         "worker_tile = [16, 16], clip = false, source = explicit>} -> " +
         y + "\n  return %0 : " + y + "\n}\n";
}

Bundle compileWay(const Way &way, ElementType type) {
  return endtoend::compileLayer(moduleOf(way, type), way.chip);
}

/// Replaces matches of `pattern` from place `first` on, `count` of them.
/// Returns how many there were.
int replace(std::string &ptx, const char *pattern, const char *with,
            int first = 0, int count = 1000) {
  const std::regex expression(pattern);
  std::string result;
  int number = 0;
  auto at = ptx.cbegin();
  for (std::sregex_iterator it(ptx.begin(), ptx.end(), expression), end;
       it != end; ++it, ++number) {
    result.append(at, ptx.cbegin() + it->position());
    result += number >= first && number < first + count ? it->format(with)
                                                        : it->str();
    at = ptx.cbegin() + it->position() + it->length();
  }
  result.append(at, ptx.cend());
  ptx = result;
  return number;
}

constexpr const char *kRound = R"(cvt\.rna\.tf32\.f32\s+(%\w+), (%\w+);)";
constexpr const char *kMmaSync =
    R"(mma\.sync\S+\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\},)"
    R"(\s+\{[^}]+\},\s+\{[^}]+\},)"
    R"(\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\};)";
constexpr const char *kSum =
    "mov.b32 $1, $5; mov.b32 $2, $6; mov.b32 $3, $7; mov.b32 $4, $8;";
constexpr const char *kWgmma = R"(wgmma\.mma_async[^;]*;)";
/// A load of one word of positions, and the same one position further. In
/// channels last a load of several words, and the same 16 bytes further.
constexpr const char *kLoad =
    R"(ld\.shared\.b32\s+(%\w+), \[(%\w+)([^\]]*)\];)";
constexpr const char *kNextLoad =
    "{ .reg .b64 %next; add.s64 %next, $2, 4; ld.shared.b32 $1, [%next$3]; }";
constexpr const char *kVectorLoad =
    R"((ld\.shared\.v[24]\.b32\s+\{[^}]*\}), \[(%\w+)([^\]]*)\];)";
constexpr const char *kNextVectorLoad =
    "{ .reg .b64 %next; add.s64 %next, $2, 16; $1, [%next$3]; }";
/// A descriptor from its lower half, and that of the core matrix behind it: 128
/// bytes in units of 16.
constexpr const char *kDescriptor = R"(or\.b64\s+(%\w+), (%\w+), 68719476736;)";
constexpr const char *kNextDescriptor =
    "{ .reg .b64 %next; add.s64 %next, $2, 8; or.b64 $1, %next, 68719476736; }";

class Mutants : public ::testing::TestWithParam<std::tuple<Way, ElementType>> {
protected:
  void SetUp() override { bundle = compileWay(way(), std::get<1>(GetParam())); }
  const Way &way() const { return std::get<0>(GetParam()); }
  std::string &ptx() { return bundle.images.front().ptx; }
  Bundle bundle;
};

TEST_P(Mutants, TheRightKernelPasses) {
  EXPECT_EQ(rejectedBy(bundle), "");
  EXPECT_EQ(misuseOf(bundle), std::set<std::string>());
}

TEST_P(Mutants, DroppedTapFails) {
  // One tap of one phase: its instructions of the first step, as a tap's.
  if (std::string(way().chip) == "sm_90a") {
    ASSERT_GT(replace(ptx(), kWgmma, "", 0, 1), 1);
  } else {
    const int perTap = std::string(way().precision) == "tf32x3" ? 6 : 2;
    ASSERT_GT(replace(ptx(), kMmaSync, kSum, 0, perTap), perTap);
  }
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

TEST_P(Mutants, ShiftedPhaseFails) {
  // Loads of positions of the first shift: four words, two octets of positions
  // by two registers; or the first two vectors.
  const bool last = std::string(way().layout) == "channels_last";
  const int loads = last ? 2 : 4;
  ASSERT_GT(last ? replace(ptx(), kVectorLoad, kNextVectorLoad, 0, loads)
                 : replace(ptx(), kLoad, kNextLoad, 0, loads),
            loads);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

std::string
nameOf(const ::testing::TestParamInfo<std::tuple<Way, ElementType>> &info) {
  return std::get<0>(info.param).name +
         std::string(name(std::get<1>(info.param)));
}

INSTANTIATE_TEST_SUITE_P(
    Types, Mutants,
    ::testing::Combine(::testing::Values(kMmaFirst, kMmaLast, kWgmmaFirst),
                       ::testing::Values(ElementType::F32, ElementType::F16,
                                         ElementType::BF16)),
    nameOf);
INSTANTIATE_TEST_SUITE_P(
    Others, Mutants,
    ::testing::Values(std::tuple(kMmaThree, ElementType::F32),
                      std::tuple(kWgmmaLast, ElementType::F32),
                      std::tuple(kWgmmaLast, ElementType::BF16),
                      std::tuple(kWgmmaUnderWay, ElementType::F32)),
    nameOf);

class MutantsOfRounding : public ::testing::TestWithParam<Way> {
protected:
  /// What the checks say to a kernel that does `instead` to every number that
  /// it has to round.
  std::string rejectedWith(const char *instead) {
    Bundle bundle = compileWay(GetParam(), ElementType::F32);
    EXPECT_GT(replace(bundle.images.front().ptx, kRound, instead), 1);
    return rejectedBy(bundle);
  }
};

TEST_P(MutantsOfRounding, BF16WhereTF32IsDueFails) {
  // Seven fraction bits, as close as cutting comes to bf16.
  EXPECT_EQ(rejectedWith("and.b32 $1, $2, 0xFFFF0000;"), "exact random");
}

TEST_P(MutantsOfRounding, TruncationFails) {
  // Exact fills fit tf32, so only the random one can tell.
  EXPECT_EQ(rejectedWith("and.b32 $1, $2, 0xFFFFE000;"), "random");
}

TEST_P(MutantsOfRounding, NoRoundingAtAllFails) {
  EXPECT_EQ(rejectedWith("mov.b32 $1, $2;"), "random");
}

INSTANTIATE_TEST_SUITE_P(Families, MutantsOfRounding,
                         ::testing::Values(kMmaFirst, kMmaLast, kWgmmaFirst,
                                           kWgmmaLast),
                         [](const auto &info) {
                           return std::string(info.param.name);
                         });

// tf32x3 keeps what tf32 drops: without the products of high and low parts it
// is tf32.
TEST(MutantsOfRounding, OneProductOfThreeFails) {
  Bundle bundle = compileWay(kMmaThree, ElementType::F32);
  std::string &ptx = bundle.images.front().ptx;
  ASSERT_GT(replace(ptx, R"(sub\.(rn\.)?f32\s+(%\w+), (%\w+), (%\w+);)",
                    "mov.b32 $2, 0;"),
            1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}

// Positions are rounded in front of the instruction, weights when they are
// packed; each must show by itself. The kernel that packs stands first and
// rounds in one place.
TEST(MutantsOfWgmma, UnroundedPositionsFail) {
  Bundle bundle = compileWay(kWgmmaFirst, ElementType::F32);
  ASSERT_GT(replace(bundle.images.front().ptx, kRound, "mov.b32 $1, $2;", 1),
            1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}

TEST(MutantsOfWgmma, UnroundedWeightsFail) {
  Bundle bundle = compileWay(kWgmmaFirst, ElementType::F32);
  ASSERT_GT(replace(bundle.images.front().ptx, kRound, "mov.b32 $1, $2;", 0, 1),
            1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}

TEST(MutantsOfWgmma, TheNextCoreMatrixFails) {
  for (ElementType type : {ElementType::F32, ElementType::F16}) {
    Bundle bundle = compileWay(kWgmmaFirst, type);
    ASSERT_GT(
        replace(bundle.images.front().ptx, kDescriptor, kNextDescriptor, 0, 1),
        1);
    EXPECT_EQ(rejectedBy(bundle), "exact random");
  }
}

using Kinds = std::set<std::string>;

/// What the memory checker finds once all matches of a pattern are left out,
/// which changes no sum on this device and may on a GPU.
Kinds misuseWithout(const Way &way, const char *pattern) {
  Bundle bundle = compileWay(way, ElementType::F32);
  EXPECT_GT(replace(bundle.images.front().ptx, pattern, ""), 0);
  EXPECT_EQ(rejectedBy(bundle), "");
  return misuseOf(bundle);
}

TEST(MutantsOfWgmma, MissingProxyFenceIsFound) {
  for (const Way &way : {kWgmmaFirst, kWgmmaUnderWay})
    EXPECT_EQ(misuseWithout(way, R"(fence\.proxy\.async[^;]*;)"),
              Kinds{"missing proxy fence"});
}

TEST(MutantsOfWgmma, SumsThatAreNotAwaitedAreFound) {
  for (const Way &way : {kWgmmaFirst, kWgmmaUnderWay})
    EXPECT_EQ(misuseWithout(way, R"(wgmma\.wait_group[^;]*\s0;)")
                  .count("matrix register"),
              1u);
}

// Without waits between groups, registers are loaded that are still read, and
// copies overwrite weights of multiplications under way.
TEST(MutantsOfWgmma, GroupsThatAreNotAwaitedAreFound) {
  EXPECT_EQ(misuseWithout(kWgmmaUnderWay, R"(wgmma\.wait_group[^;]*\s1;)"),
            (Kinds{"matrix register", "race"}));
}

TEST(MutantsOfWgmma, MissingFenceOfRegistersIsFound) {
  EXPECT_EQ(misuseWithout(kWgmmaUnderWay, R"(wgmma\.fence[^;]*;)"),
            Kinds{"matrix register"});
}
} // namespace
