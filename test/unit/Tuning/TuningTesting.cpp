//===- TuningTesting.cpp - What tests of kernel choice share --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TuningTesting.h"
#include "CaseFile.h"
#include "ctc/Tuning/KernelChoice.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"

#include <array>
#include <gtest/gtest.h>
#include <set>

using namespace ctc;

mlir::MLIRContext *ctc::tuningtest::context() {
  static mlir::MLIRContext *only = [] {
    auto *made = new mlir::MLIRContext(mlir::MLIRContext::Threading::DISABLED);
    made->loadDialect<ir::CTCDialect>();
    return made;
  }();
  return only;
}

std::vector<tuningtest::Layer>
ctc::tuningtest::conformanceLayers(const std::string &file) {
  auto cases = driver::readCases(std::string(CTC_CONFORMANCE_DIR) + "/" + file);
  std::vector<Layer> layers;
  if (!cases) {
    ADD_FAILURE() << cases.error().message;
    return layers;
  }
  for (const driver::Case &one : *cases)
    layers.push_back({one.name, one.problem});
  return layers;
}

Problem ctc::tuningtest::variantOf(Problem problem, ElementType type,
                                   Layout layout) {
  problem.type = type;
  problem.layout = layout;
  problem.precision = Precision::TF32;
  return problem;
}

int64_t ctc::tuningtest::between(std::mt19937_64 &random, int64_t low,
                                 int64_t high) {
  return low + int64_t(random() % uint64_t(high - low + 1));
}

std::vector<SpatialDim> ctc::tuningtest::randomDims(std::mt19937_64 &random) {
  std::vector<SpatialDim> dims;
  const int64_t count = between(random, 1, 3);
  for (int64_t rank = count; rank > 0; --rank) {
    SpatialDim dim;
    dim.input = between(random, 1, rank == 1 ? 3000 : 60);
    dim.kernel = between(random, 1, random() % 4 ? 5 : 40);
    dim.stride = between(random, 1, random() % 4 ? 4 : 33);
    dim.dilation = random() % 3 ? 1 : between(random, 2, 40);
    dim.padLow = between(random, -3, 3);
    dim.padHigh = between(random, -3, 3);
    dim.outputPadding = between(random, 0, 3);
    dims.push_back(dim);
  }
  return dims;
}

static void choose(const tuningtest::Layer &layer, const Problem &problem,
                   const char *chip, ir::Family family,
                   std::vector<tuningtest::ChosenKernel> &chosen) {
  if (problem.inputChannels == 0 || problem.outputChannels == 0)
    return;
  auto choice =
      chooseMmaSync(tuningtest::context(), problem, *findChip(chip), family);
  if (!choice) {
    ADD_FAILURE() << layer.name << ": " << choice.error().message;
    return;
  }
  chosen.push_back({layer.name,
                    layer.name + " " + std::string(name(problem.type)) + " " +
                        std::string(name(problem.layout)) + " " +
                        ir::stringifyFamily(family).str() + " " + chip,
                    problem, choice->kernel});
}

const std::vector<tuningtest::ChosenKernel> &ctc::tuningtest::chosenKernels() {
  static const std::vector<ChosenKernel> all = [] {
    std::vector<ChosenKernel> chosen;
    for (const char *file : {"onnx.json", "edges.json", "onednn.json"})
      for (const Layer &layer : conformanceLayers(file))
        for (ElementType type : {ElementType::F32, ElementType::F16})
          for (Layout layout : {Layout::ChannelsFirst, Layout::ChannelsLast})
            for (auto [chip, family] :
                 {std::pair("sm_80", ir::Family::MmaSync),
                  std::pair("sm_90a", ir::Family::MmaSync),
                  std::pair("sm_90a", ir::Family::WgmmaRA)})
              choose(layer, variantOf(layer.problem, type, layout), chip,
                     family, chosen);
    return chosen;
  }();
  return all;
}

ir::KernelAttr ctc::tuningtest::makeKernel(const KernelSizes &sizes) {
  auto array = [](const std::vector<int64_t> &values) {
    return mlir::DenseI64ArrayAttr::get(context(), values);
  };
  return ir::KernelAttr::get(
      context(), sizes.family, sizes.lanes, sizes.batch, array(sizes.box),
      array(sizes.phases), array(sizes.taps), sizes.chunk, array(sizes.workers),
      array(sizes.workerTile), sizes.stages,
      /*clip=*/false, ir::ChoiceSource::Explicit, /*groups=*/1, sizes.split);
}

int64_t ctc::tuningtest::wavefronts(const std::vector<int64_t> &firstWords,
                                    int64_t width) {
  const size_t together = 32 / width;
  int64_t total = 0;
  for (size_t first = 0; first < firstWords.size(); first += together) {
    std::array<std::set<int64_t>, 32> banks;
    const size_t end = std::min(firstWords.size(), first + together);
    for (size_t lane = first; lane < end; ++lane)
      for (int64_t word = firstWords[lane]; word < firstWords[lane] + width;
           ++word)
        banks[word % 32].insert(word);
    size_t most = 0;
    for (const auto &bank : banks)
      most = std::max(most, bank.size());
    total += int64_t(most);
  }
  return total;
}
