//===- LargeTensorTest.cpp - Tensors past 2^32 elements -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Launches single blocks of grids too large to run, on buffers of which only
// the touched pages exist. A block decodes its number innermost first into
// phases, then boxes (docs/Ladder.md), so the block of given phases and boxes
// is known; what it must write follows from the definition in Support/Problem.h
// alone.
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/Compile.h"
#include "ctc/Pipelines/Registration.h"
#include "ctc/Runtime/ctc_runtime.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Support/PhasePlan.h"

#include "mlir/Parser/Parser.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <limits>

using namespace ctc;

namespace {

/// A layer of one channel with a known box.
struct Layer {
  std::vector<SpatialDim> dims;
  std::vector<int64_t> box;
  const char *mlir;
};

/// One launchable layer on the cpu device.
class SparseLayer {
public:
  explicit SparseLayer(const Layer &layer) : layer(layer) {
    for (const SpatialDim &dim : layer.dims) {
      plans.push_back(*planPhases(dim));
      boxes.push_back(
          ceilDiv(plans.back().maxQCount, layer.box[plans.size() - 1]));
      inputSize *= dim.input;
      outputSize *= plans.back().outputSize;
      taps *= dim.kernel;
    }
  }
  ~SparseLayer() {
    ctc_layer_destroy(handle);
    ctc_module_unload(module);
    ctc_bundle_close(bundle);
    ctc_device_close(device);
  }

  void open() {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    mlir::MLIRContext context(registry);
    auto source = mlir::parseSourceString<mlir::ModuleOp>(layer.mlir, &context);
    ASSERT_TRUE(source);
    CompileOptions options;
    options.chips = {"sm_80"};
    options.assemble = false;
    auto compiled = compile(*source, options);
    ASSERT_TRUE(compiled) << compiled.error().message;
    const auto bytes = serialize(*compiled);
    ASSERT_EQ(ctc_bundle_open_memory(bytes.data(), bytes.size(), &bundle),
              CTC_OK);
    ASSERT_EQ(ctc_device_open("cpu", &device), CTC_OK);
    ASSERT_EQ(ctc_module_load(bundle, device, "sm_80", &module), CTC_OK);
    ASSERT_EQ(ctc_layer_create(module, "layer", &handle), CTC_OK);
    uint64_t weight = 0, address = 0;
    ASSERT_EQ(ctc_device_allocate(device, uint64_t(taps) * 4, &weight), CTC_OK);
    ASSERT_EQ(ctc_device_allocate(device, uint64_t(inputSize) * 4, &address),
              CTC_OK)
        << ctc_last_error();
    x = reinterpret_cast<float *>(address);
    ASSERT_EQ(ctc_device_allocate(device, uint64_t(outputSize) * 4, &address),
              CTC_OK)
        << ctc_last_error();
    y = reinterpret_cast<float *>(address);
    w = reinterpret_cast<float *>(weight);
    for (int64_t k = 0; k < taps; ++k)
      w[k] = float(k % 7 + 1);
    ASSERT_EQ(ctc_layer_prepare(handle, weight, 0, nullptr), CTC_OK);
  }

  /// Runs the block of one phase and one box per dimension and checks every
  /// output of it. Returns how many there are.
  int64_t checkBlock(const std::vector<int64_t> &phase,
                     const std::vector<int64_t> &boxAt) {
    std::vector<std::vector<int64_t>> outputs = coordinates(phase, boxAt);
    for (const auto &at : outputs) {
      visitTaps(at, [&](int64_t i, int64_t) { x[i] = inputValue(i); });
      y[linear(at, true)] = std::numeric_limits<float>::quiet_NaN();
    }
    const uint64_t block = number(phase, boxAt);
    const uint64_t addresses[] = {reinterpret_cast<uint64_t>(x),
                                  reinterpret_cast<uint64_t>(y)};
    EXPECT_EQ(ctc_cpu_launch_blocks(handle, 0, 1, addresses, 2, &block, 1),
              CTC_OK)
        << ctc_last_error();
    for (const auto &at : outputs) {
      double expected = 0;
      visitTaps(at, [&](int64_t i, int64_t k) {
        expected += double(inputValue(i)) * double(w[k]);
      });
      EXPECT_EQ(y[linear(at, true)], expected) << linear(at, true);
    }
    return int64_t(outputs.size());
  }

  uint64_t gridBlocks() const {
    uint64_t blocks = 0;
    EXPECT_EQ(ctc_bundle_run_blocks(bundle, 0, 0, 0, 1, &blocks), CTC_OK);
    return blocks;
  }
  uint64_t expectedBlocks() const {
    return number(std::vector<int64_t>(plans.size(), -1),
                  std::vector<int64_t>(plans.size(), -1)) +
           1;
  }

  const Layer &layer;
  std::vector<DimPhasePlan> plans;
  std::vector<int64_t> boxes;
  int64_t inputSize = 1, outputSize = 1, taps = 1;

private:
  static float inputValue(int64_t i) { return float(i % 11 - 5); }

  /// -1 counts from the end.
  static int64_t wrap(int64_t at, size_t count) {
    return at < 0 ? at + int64_t(count) : at;
  }

  uint64_t number(const std::vector<int64_t> &phase,
                  const std::vector<int64_t> &boxAt) const {
    uint64_t block = 0;
    for (size_t d = 0; d < plans.size(); ++d)
      block = block * boxes[d] + wrap(boxAt[d], boxes[d]);
    for (size_t d = 0; d < plans.size(); ++d)
      block = block * plans[d].phases.size() +
              wrap(phase[d], plans[d].phases.size());
    return block;
  }

  int64_t linear(const std::vector<int64_t> &at, bool ofOutput) const {
    int64_t index = 0;
    for (size_t d = 0; d < at.size(); ++d)
      index = index * (ofOutput ? plans[d].outputSize : layer.dims[d].input) +
              at[d];
    return index;
  }

  /// Output coordinates of a block, the product over the dimensions.
  std::vector<std::vector<int64_t>>
  coordinates(const std::vector<int64_t> &phase,
              const std::vector<int64_t> &boxAt) const {
    std::vector<std::vector<int64_t>> all{{}};
    for (size_t d = 0; d < plans.size(); ++d) {
      const Phase &p = plans[d].phases[wrap(phase[d], plans[d].phases.size())];
      const int64_t first = wrap(boxAt[d], boxes[d]) * layer.box[d];
      std::vector<std::vector<int64_t>> next;
      for (const auto &prefix : all)
        for (int64_t q = first; q < std::min(first + layer.box[d], p.qCount);
             ++q) {
          next.push_back(prefix);
          next.back().push_back((p.qBegin + q) * layer.dims[d].stride +
                                p.residue - layer.dims[d].padLow);
        }
      all = std::move(next);
    }
    return all;
  }

  /// Calls `use` with each (input, tap) of an output, by the definition.
  void visitTaps(const std::vector<int64_t> &at,
                 const std::function<void(int64_t, int64_t)> &use) const {
    std::vector<int64_t> input(at.size());
    std::function<void(size_t, int64_t)> descend = [&](size_t d, int64_t tap) {
      if (d == at.size())
        return use(linear(input, false), tap);
      const SpatialDim &dim = layer.dims[d];
      for (int64_t k = 0; k < dim.kernel; ++k) {
        const int64_t scaled = at[d] + dim.padLow - k * dim.dilation;
        if (floorMod(scaled, dim.stride) != 0)
          continue;
        input[d] = floorDiv(scaled, dim.stride);
        if (input[d] >= 0 && input[d] < dim.input)
          descend(d + 1, tap * dim.kernel + k);
      }
    };
    descend(0, 0);
  }

  ctc_device *device = nullptr;
  ctc_bundle *bundle = nullptr;
  ctc_module *module = nullptr;
  ctc_layer *handle = nullptr;
  float *x = nullptr, *y = nullptr, *w = nullptr;
};

const Layer kPlane{
    {{32770, 3, 2, 1, 1, 1, 1}, {32771, 3, 2, 1, 1, 1, 1}},
    {8, 16},
    R"(func.func @layer(%x: tensor<1x1x32770x32771xf32>, %w: tensor<1x1x3x3xf32>) -> tensor<1x1x65540x65542xf32> {
  %init = tensor.empty() : tensor<1x1x65540x65542xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x1x32770x32771xf32>, tensor<1x1x3x3xf32>)
         outs(%init : tensor<1x1x65540x65542xf32>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>,
          output_padding = array<i64: 1, 1>, precision = #ctc.precision<ieee>,
          kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [8, 16], phases = [1, 1], taps = [1, 2],
            chunk_channels = 1, workers = [32, 1], worker_tile = [4, 1], stages = 2, source = explicit>}
         -> tensor<1x1x65540x65542xf32>
  return %y : tensor<1x1x65540x65542xf32>
})"};

const Layer kLine{
    {{1100000001, 5, 4, 1, 0, 0, 0}},
    {128},
    R"(func.func @layer(%x: tensor<1x1x1100000001xf32>, %w: tensor<1x1x5xf32>) -> tensor<1x1x4400000005xf32> {
  %init = tensor.empty() : tensor<1x1x4400000005xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x1x1100000001xf32>, tensor<1x1x5xf32>)
         outs(%init : tensor<1x1x4400000005xf32>)
         {stride = array<i64: 4>, precision = #ctc.precision<ieee>,
          kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [128], phases = [1], taps = [1],
            chunk_channels = 1, workers = [32, 1], worker_tile = [4, 1], stages = 1, source = explicit>}
         -> tensor<1x1x4400000005xf32>
  return %y : tensor<1x1x4400000005xf32>
})"};

TEST(LargeTensor, Plane) {
  SparseLayer layer(kPlane);
  ASSERT_GT(layer.outputSize, int64_t{1} << 32);
  layer.open();
  if (HasFatalFailure())
    return;
  EXPECT_EQ(layer.gridBlocks(), layer.expectedBlocks());
  for (int64_t row : {0, -1})
    for (int64_t column : {0, -1})
      for (int64_t box : {0, 2000, -1})
        EXPECT_GT(layer.checkBlock({row, column}, {box, box}), 0);
}

TEST(LargeTensor, Line) {
  SparseLayer layer(kLine);
  ASSERT_GT(layer.outputSize, int64_t{1} << 32);
  layer.open();
  if (HasFatalFailure())
    return;
  EXPECT_EQ(layer.gridBlocks(), layer.expectedBlocks());
  for (int64_t phase : {0, 1, 2, 3})
    for (int64_t box : {0, 5000000, -1})
      EXPECT_GT(layer.checkBlock({phase}, {box}), 0);
}

} // namespace
