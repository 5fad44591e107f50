//===- TuningTesting.h - What tests of kernel choice share ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_TUNING_TUNINGTESTING_H
#define CTC_TEST_UNIT_TUNING_TUNINGTESTING_H

#include "ctc/Dialect/CTC.h"
#include "ctc/Tuning/MmaSync.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <random>
#include <string>
#include <vector>

namespace ctc::tuningtest {

/// A context with the CTC dialect, one for all tests.
mlir::MLIRContext *context();

struct Layer {
  std::string name;
  Problem problem;
};

/// The layers of a file of test/conformance: f32, channels first, as they are.
std::vector<Layer> conformanceLayers(const std::string &file);

/// A problem in another type and layout, with the precision that the type has.
Problem variantOf(Problem problem, ElementType type, Layout layout);

struct ChosenKernel {
  std::string layer; ///< Its name in the file.
  std::string name;  ///< With type, layout and chip.
  Problem problem;
  ir::KernelAttr kernel;
};

/// A number from low to high.
int64_t between(std::mt19937_64 &random, int64_t low, int64_t high);

/// One to three dimensions of odd sizes, with every attribute.
std::vector<SpatialDim> randomDims(std::mt19937_64 &random);

/// The kernels that chooseMmaSync puts first of mma_sync for sm_80 and sm_90a,
/// and of wgmma_ra for sm_90a, for every layer of test/conformance with work,
/// in both layouts, f32 and f16. Chosen once, which takes seconds.
const std::vector<ChosenKernel> &chosenKernels();

/// What a plain kernel is made of.
struct KernelSizes {
  ir::Family family = ir::Family::MmaSync;
  ir::Lanes lanes = ir::Lanes::Positions;
  int64_t batch = 1;
  std::vector<int64_t> box{8}, phases{1}, taps{1};
  int64_t chunk = 8;
  std::vector<int64_t> workers{1, 1}, workerTile{8, 16};
  int64_t stages = 2;
  int64_t split = 1;
};
ir::KernelAttr makeKernel(const KernelSizes &sizes);

/// Wavefronts of one access to workgroup memory of a warp whose lanes take
/// `width` neighbouring words of 4 bytes each, from `firstWords` (fewer than 32
/// where lanes are idle): accesses of 8 and 16 bytes are served by halves and
/// quarters of a warp, 32 banks of one word each, lanes at one word share it.
int64_t wavefronts(const std::vector<int64_t> &firstWords, int64_t width);

} // namespace ctc::tuningtest

#endif // CTC_TEST_UNIT_TUNING_TUNINGTESTING_H
