//===- MutantTest.cpp - Wrong kernels must fail the check -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Kernels of mma_sync with a mistake planted in their PTX, executed on the cpu
// device and checked as ctc verify does. The kernel without one passes, so it
// is the mistake that the check rejects.
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/Compile.h"
#include "ctc/Pipelines/Registration.h"
#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Runtime/ctc_runtime.h"

#include "mlir/Parser/Parser.h"

#include <cstring>
#include <gtest/gtest.h>
#include <regex>

using namespace ctc;

namespace {

/// Two grouped phases of two taps, two chunks of channels, a box that is not
/// full.
std::string layerText(ElementType type) {
  std::string text = R"mlir(
    func.func @layer(%x: tensor<1x32x24xTYPE>, %w: tensor<32x16x4xTYPE>)
        -> tensor<1x16x50xTYPE> {
      %y = tensor.empty() : tensor<1x16x50xTYPE>
      %0 = ctc.conv_transpose
          ins(%x, %w : tensor<1x32x24xTYPE>, tensor<32x16x4xTYPE>)
          outs(%y : tensor<1x16x50xTYPE>)
          {stride = array<i64: 2>,
           kernel = #ctc.kernel<family = mma_sync, lanes = positions,
             batch = 1, box = [16], phases = [2], taps = [4],
             chunk_channels = 16, workers = [1, 1], worker_tile = [16, 16],
             stages = 2, clip = false, source = explicit>}
          -> tensor<1x16x50xTYPE>
      return %0 : tensor<1x16x50xTYPE>
    })mlir";
  for (size_t at = 0; (at = text.find("TYPE")) != std::string::npos;)
    text.replace(at, 4, name(type));
  return text;
}

Bundle compileLayer(ElementType type) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto source =
      mlir::parseSourceString<mlir::ModuleOp>(layerText(type), &context);
  CompileOptions options;
  options.chips = {"sm_80"};
  options.assemble = false;
  auto bundle = compile(*source, options);
  EXPECT_TRUE(bundle) << bundle.error().message;
  return bundle ? *bundle : Bundle();
}

/// The output of the bundle's only layer on the cpu device.
Tensor run(const Bundle &bundle, const Problem &problem,
           const LayerInputs &inputs) {
  const auto bytes = serialize(bundle);
  ctc_bundle *file = nullptr;
  ctc_device *device = nullptr;
  ctc_module *module = nullptr;
  ctc_layer *layer = nullptr;
  auto expectOk = [](ctc_status status) {
    EXPECT_EQ(status, CTC_OK) << ctc_last_error();
  };
  expectOk(ctc_bundle_open_memory(bytes.data(), bytes.size(), &file));
  expectOk(ctc_device_open("cpu", &device));
  expectOk(ctc_module_load(file, device, "sm_80", &module));
  expectOk(ctc_layer_create(module, "layer", &layer));
  auto upload = [&](const Tensor &tensor) {
    uint64_t address = 0;
    expectOk(ctc_device_allocate(device, tensor.bytes().size(), &address));
    std::memcpy(reinterpret_cast<void *>(address), tensor.bytes().data(),
                tensor.bytes().size());
    return address;
  };
  Tensor output(problem.type, problem.outputShape());
  output.fillWithNaN();
  const uint64_t weight = upload(inputs.weight);
  const uint64_t addresses[] = {upload(inputs.input), upload(output)};
  expectOk(ctc_layer_prepare(layer, weight, 0, nullptr));
  expectOk(ctc_layer_launch(layer, 1, addresses, 2, nullptr));
  std::memcpy(output.bytes().data(),
              reinterpret_cast<const void *>(addresses[1]),
              output.bytes().size());
  for (uint64_t address : {weight, addresses[0], addresses[1]})
    expectOk(ctc_device_free(device, address));
  ctc_layer_destroy(layer);
  ctc_module_unload(module);
  ctc_bundle_close(file);
  ctc_device_close(device);
  return output;
}

/// Fills that reject a bundle's kernel.
std::string rejectedBy(const Bundle &bundle) {
  const Problem &problem =
      bundle.images.front().manifest.entries.front().problem;
  std::string names;
  for (Fill fill : {Fill::Exact, Fill::Random}) {
    const auto inputs = *makeInputs(problem, {}, {fill, 5, {}});
    const bool exact = fill == Fill::Exact;
    const Accumulation reference =
        accumulate(problem, inputs, {.magnitude = !exact});
    CheckOptions options;
    if (!exact)
      options.error = accumulationError(Arithmetic::MatrixUnit, problem);
    const auto report = check(problem, {}, reference, {},
                              run(bundle, problem, inputs), options);
    EXPECT_TRUE(report);
    if (!report->passed())
      names += std::string(names.empty() ? "" : " ") + std::string(name(fill));
  }
  return names;
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
constexpr const char *kMultiply =
    R"(mma\.sync\S+\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\},)"
    R"(\s+\{[^}]+\},\s+\{[^}]+\},)"
    R"(\s+\{(%\w+), (%\w+), (%\w+), (%\w+)\};)";
constexpr const char *kSum =
    "mov.b32 $1, $5; mov.b32 $2, $6; mov.b32 $3, $7; mov.b32 $4, $8;";
/// A load of one word of positions, and the same one position further.
constexpr const char *kLoad =
    R"(ld\.shared\.b32\s+(%\w+), \[(%\w+)([^\]]*)\];)";
constexpr const char *kNextLoad =
    "{ .reg .b64 %next; add.s64 %next, $2, 4; ld.shared.b32 $1, [%next$3]; }";

class Mutants : public ::testing::TestWithParam<ElementType> {
protected:
  void SetUp() override { bundle = compileLayer(GetParam()); }
  std::string &ptx() { return bundle.images.front().ptx; }

  Bundle bundle;
};

TEST_P(Mutants, TheRightKernelPasses) { EXPECT_EQ(rejectedBy(bundle), ""); }

TEST_P(Mutants, DroppedTapFails) {
  // One tap of one phase: its instructions of the first step, as a tap's.
  ASSERT_GT(replace(ptx(), kMultiply, kSum, 0, 2), 2);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

TEST_P(Mutants, ShiftedPhaseFails) {
  // All loads of positions of the first shift read one position further: four
  // words, two octets of positions by two registers.
  ASSERT_GT(replace(ptx(), kLoad, kNextLoad, 0, 4), 4);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

INSTANTIATE_TEST_SUITE_P(Types, Mutants,
                         ::testing::Values(ElementType::F32, ElementType::F16,
                                           ElementType::BF16),
                         [](const auto &info) {
                           return std::string(name(info.param));
                         });

TEST(MutantsOfRounding, BF16WhereTF32IsDueFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  // Seven fraction bits, as close as cutting comes to bf16.
  ASSERT_GT(
      replace(bundle.images.front().ptx, kRound, "and.b32 $1, $2, 0xFFFF0000;"),
      1);
  EXPECT_EQ(rejectedBy(bundle), "exact random");
}

TEST(MutantsOfRounding, TruncationFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  // Exact fills fit tf32, so only the random one can tell.
  ASSERT_GT(
      replace(bundle.images.front().ptx, kRound, "and.b32 $1, $2, 0xFFFFE000;"),
      1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}

TEST(MutantsOfRounding, NoRoundingAtAllFails) {
  Bundle bundle = compileLayer(ElementType::F32);
  ASSERT_GT(replace(bundle.images.front().ptx, kRound, "mov.b32 $1, $2;"), 1);
  EXPECT_EQ(rejectedBy(bundle), "random");
}
} // namespace
