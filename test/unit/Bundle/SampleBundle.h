//===- SampleBundle.h - A small bundle for tests ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_BUNDLE_SAMPLEBUNDLE_H
#define CTC_TEST_UNIT_BUNDLE_SAMPLEBUNDLE_H

#include "ctc/Bundle/Bundle.h"

namespace ctc::test {

/// A layer with dynamic batch, bias and one epilogue operand: x ?x2x3, w 2x4x2,
/// stride 2, y ?x4x6. Every field that may differ from its default does.
inline Entry sampleEntry() {
  Entry entry;
  entry.name = "up";
  entry.problem.batch = kDynamic;
  entry.problem.inputChannels = 2;
  entry.problem.outputChannels = 4;
  entry.problem.dims = {SpatialDim{.input = 3, .kernel = 2, .stride = 2}};
  entry.problem.precision = Precision::IEEE;
  entry.problem.bias = true;
  entry.epilogue.operands = {
      {"z", ElementType::BF16, {kDynamic, 1, 6}, {0, -1, 2}}};
  entry.epilogue.nodes = {{"argument", ScalarType::F32, {}, 0, ""},
                          {"argument", ScalarType::BF16, {}, 0, ""},
                          {"arith.constant", ScalarType::F32, {}, 0.5, ""},
                          {"arith.cmpf", ScalarType::I1, {0, 2}, 0, "ogt"}};
  entry.epilogue.result = 1;
  entry.arguments = {
      {"x", ArgumentRole::Input, ElementType::F32, {kDynamic, 2, 3}},
      {"w", ArgumentRole::Weight, ElementType::F32, {2, 4, 2}},
      {"packed", ArgumentRole::PackedWeight, ElementType::F32, {16}},
      {"b", ArgumentRole::Bias, ElementType::F32, {4}},
      {"z", ArgumentRole::Operand, ElementType::BF16, {kDynamic, 1, 6}},
      {"y", ArgumentRole::Output, ElementType::F32, {kDynamic, 4, 6}}};
  entry.prepare = {{"up_prepare", {1, 2}, false, {1, 1}, {32, 1, 1}, 0}};
  entry.run = {{"up_run", {0, 2, 3, 4, 5}, true, {3, 2}, {64, 2, 1}, 4096}};
  entry.family = "simt";
  entry.kernel = "#ctc.kernel<family = simt>";
  entry.choiceSource = "heuristic";
  entry.choiceReason = "small";
  entry.work = {96, 1, 1.25, 1.5, 256, 512};
  return entry;
}

inline ChipImage sampleImage(std::string chip) {
  ChipImage image;
  image.chip = std::move(chip);
  image.manifest.entries = {sampleEntry()};
  image.ptx = ".version 8.0\n.target sm_80\n.address_size 64\n";
  image.cubin = {0x7f, 'E', 'L', 'F', 0, 1, 2, 3};
  image.assembler = "ptxas 13.0.88";
  image.resources = {{"up_run", 40, 8, 12, 16, 2048, {"a warning", "another"}},
                     {"up_prepare", 10, 0, 0, 0, 0, {}}};
  return image;
}

inline Bundle sampleBundle() {
  Bundle bundle{"ctc 0.1.0 (test)",
                {sampleImage("sm_80"), sampleImage("sm_90a")}};
  // What another chip may have different.
  Entry &other = bundle.images[1].manifest.entries[0];
  other.arguments[2].shape = {32};
  other.arguments.push_back(
      {"scratch", ArgumentRole::Scratch, ElementType::F32, {kDynamic, 8}});
  other.run[0].arguments = {0, 2, 3, 4, 6, 5};
  other.run[0].dynamicSharedBytes = 200000;
  other.run[0].programmatic = true;
  return bundle;
}

} // namespace ctc::test

#endif // CTC_TEST_UNIT_BUNDLE_SAMPLEBUNDLE_H
