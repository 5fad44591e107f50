//===- EndToEndTesting.cpp - A layer executed and checked -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EndToEndTesting.h"
#include "ctc/Pipelines/Compile.h"
#include "ctc/Pipelines/Registration.h"
#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Runtime/ctc_check.h"
#include "ctc/Runtime/ctc_runtime.h"

#include "mlir/Parser/Parser.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace ctc;

Bundle ctc::endtoend::compileLayer(const std::string &module,
                                   const std::string &chip) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto source = mlir::parseSourceString<mlir::ModuleOp>(module, &context);
  if (!source) {
    ADD_FAILURE() << module;
    return {};
  }
  CompileOptions options;
  options.chips = {chip};
  options.assemble = false;
  auto bundle = compile(*source, options);
  EXPECT_TRUE(bundle) << bundle.error().message;
  return bundle ? *bundle : Bundle();
}

static std::set<std::string> findingsOf(const ctc_device *device) {
  std::set<std::string> kinds;
  size_t count = 0;
  EXPECT_EQ(ctc_cpu_finding_count(device, &count), CTC_OK);
  for (size_t i = 0; i < count; ++i) {
    ctc_finding finding;
    EXPECT_EQ(ctc_cpu_get_finding(device, i, &finding), CTC_OK);
    kinds.insert(ctc_finding_kind_name(finding.kind));
  }
  return kinds;
}

/// The output of the bundle's only layer on the cpu device; with `misuse`, the
/// kinds of misuse of memory, too.
static Tensor run(const Bundle &bundle, const Problem &problem,
                  const LayerInputs &inputs,
                  std::set<std::string> *misuse = nullptr) {
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
  if (misuse)
    expectOk(ctc_cpu_check_memory(device, 1));
  expectOk(ctc_module_load(file, device, bundle.images.front().chip.c_str(),
                           &module));
  expectOk(ctc_layer_create(module, "layer", &layer));
  auto upload = [&](const Tensor &tensor) {
    uint64_t address = 0;
    expectOk(ctc_device_allocate(device, tensor.bytes().size(), &address));
    // Memory that is only pointed to counts as uninitialised.
    expectOk(ctc_device_copy_in(device, address, tensor.bytes().data(),
                                tensor.bytes().size(), nullptr));
    return address;
  };
  Tensor output(problem.type, problem.outputShape());
  output.fillWithNaN();
  const uint64_t weight = upload(inputs.weight);
  const uint64_t addresses[] = {upload(inputs.input), upload(output)};
  expectOk(ctc_layer_prepare(layer, weight, 0, nullptr));
  expectOk(ctc_layer_launch(layer, problem.batch, addresses, 2, nullptr));
  std::memcpy(output.bytes().data(),
              reinterpret_cast<const void *>(addresses[1]),
              output.bytes().size());
  if (misuse)
    *misuse = findingsOf(device);
  for (uint64_t address : {weight, addresses[0], addresses[1]})
    expectOk(ctc_device_free(device, address));
  ctc_layer_destroy(layer);
  ctc_module_unload(module);
  ctc_bundle_close(file);
  ctc_device_close(device);
  return output;
}

std::string ctc::endtoend::rejectedBy(const Bundle &bundle) {
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

std::set<std::string> ctc::endtoend::misuseOf(const Bundle &bundle) {
  const Problem &problem =
      bundle.images.front().manifest.entries.front().problem;
  std::set<std::string> misuse;
  run(bundle, problem, *makeInputs(problem, {}, {Fill::Exact, 5, {}}), &misuse);
  return misuse;
}
