//===- Verifier.cpp - Layers against the float64 reference ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inputs and references depend on the element type, the precision and the fill
// only, so they are made once, in channels-first order, and serve all layouts,
// families and chips.
//
//===----------------------------------------------------------------------===//

#include "Verifier.h"
#include "Compiler.h"
#include "HostMemory.h"
#include "Scaling.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/LayerBuilder.h"
#include "ctc/Support/Float.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <chrono>
#include <cmath>

using namespace ctc;
using namespace ctc::driver;

namespace {
/// Adds the time it lives to a sum.
class Timer {
public:
  explicit Timer(double &sum) : sum(sum) {}
  ~Timer() {
    sum +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
  }
  Timer(const Timer &) = delete;
  Timer &operator=(const Timer &) = delete;

private:
  double &sum;
  std::chrono::steady_clock::time_point start =
      std::chrono::steady_clock::now();
};
} // namespace

/// Inputs in channels-first order and what the reference makes of them.
struct Verifier::Prepared {
  std::string fill;
  FillOptions options;
  LayerInputs inputs;
  Accumulation reference;
  bool exact = false;
  std::string failure; ///< Why there are no inputs, or they contradict.
};

std::string VerifyResult::describe() const {
  std::string text(ctc::name(type));
  if (type == ElementType::F32)
    text += " " + std::string(ctc::name(precision));
  return text + " " + std::string(ctc::name(layout)) + " " +
         (family.empty() ? "" : family + " ") + chip + " " + fill;
}

Verifier::Prepared Verifier::prepareFill(const Problem &problem, Fill fill) {
  Prepared prepared{std::string(name(fill)),
                    {fill, axes.seed, std::nullopt},
                    {},
                    {},
                    fill == Fill::Exact,
                    ""};
  auto inputs = makeInputs(problem, {}, prepared.options);
  if (!inputs) {
    prepared.failure = inputs.error().message;
    return prepared;
  }
  prepared.inputs = std::move(*inputs);
  prepared.reference =
      accumulate(problem, prepared.inputs, {.magnitude = !prepared.exact});
  return prepared;
}

/// A tensor of the given values; `representable` becomes false when one of them
/// is not a number of the type.
static Tensor tensorOf(ElementType type, const std::vector<int64_t> &shape,
                       const std::vector<double> &values, bool &representable) {
  Tensor tensor(type, shape);
  for (int64_t i = 0; i < tensor.count(); ++i) {
    const double value = values[static_cast<size_t>(i)];
    tensor.set(i, value);
    representable &= tensor.get(i) == value;
  }
  return tensor;
}

/// Whether every value is an integer and every sum stays below 2^24: then any
/// order of f32 additions gives the same result.
static bool sumsAreExact(const CaseTensors &tensors,
                         const Accumulation &reference) {
  for (const auto *values : {&tensors.input, &tensors.weight, &tensors.bias})
    for (double value : *values)
      if (value != std::floor(value))
        return false;
  return std::all_of(reference.magnitude.begin(), reference.magnitude.end(),
                     [](double sum) { return sum < 0x1p24; });
}

/// Where the reference contradicts a case's own output; empty if nowhere.
static std::string contradiction(const Problem &problem,
                                 const Accumulation &reference,
                                 const std::vector<double> &output,
                                 bool exact) {
  // The outputs in the file are f32 results of unrounded inputs.
  const bool comparable = exact || (problem.type == ElementType::F32 &&
                                    problem.precision != Precision::TF32);
  for (size_t i = 0; comparable && i < output.size(); ++i) {
    const double value = reference.value[i];
    const double allowed =
        exact ? 0
              : static_cast<double>(problem.inputChannels * 4096) * 0x1p-24 *
                    reference.magnitude[i];
    if (std::fabs(value - output[i]) > allowed)
      return llvm::formatv("the case's y has {0} at {1}, the reference {2}",
                           output[i], i, value);
  }
  return "";
}

Verifier::Prepared Verifier::prepareGiven(const Case &one,
                                          const Problem &problem) {
  Prepared prepared{
      "given", {Fill::Random, axes.seed, std::nullopt}, {}, {}, true, ""};
  const CaseTensors &tensors = *one.tensors;
  LayerInputs &inputs = prepared.inputs;
  bool &exact = prepared.exact;
  inputs.input =
      tensorOf(problem.type, problem.inputShape(), tensors.input, exact);
  inputs.weight =
      tensorOf(problem.type, problem.weightShape(), tensors.weight, exact);
  if (problem.bias)
    inputs.bias =
        tensorOf(problem.type, {problem.outputChannels}, tensors.bias, exact);
  prepared.reference = accumulate(problem, inputs, {.magnitude = true});
  exact = exact && sumsAreExact(tensors, prepared.reference);
  prepared.failure =
      contradiction(problem, prepared.reference, tensors.output, exact);
  return prepared;
}

std::vector<Verifier::Prepared> Verifier::prepare(const Case &one,
                                                  const Problem &problem) {
  const Timer timer(spent.reference);
  std::vector<Prepared> prepared;
  auto add = [&](std::string fill, auto make) {
    auto made = withinMemory(problem, /*isChecked=*/true,
                             [&]() -> Expected<Prepared> { return make(); });
    if (made)
      prepared.push_back(std::move(*made));
    else
      prepared.push_back(
          {std::move(fill), {}, {}, {}, false, made.error().message});
  };
  for (Fill fill : axes.fills)
    add(std::string(name(fill)), [&] { return prepareFill(problem, fill); });
  // A case that was scaled has outgrown its tensors.
  if (one.tensors && problem.inputShape() == one.problem.inputShape())
    add("given", [&] { return prepareGiven(one, problem); });
  return prepared;
}

void Verifier::verify(const Case &one, const OnResult &onResult) {
  for (ElementType type : axes.types) {
    std::vector<Precision> precisions = axes.precisions;
    if (type != ElementType::F32)
      precisions = {Precision::TF32};
    for (Precision precision : precisions) {
      Problem problem = one.problem;
      problem.type = type;
      problem.precision = precision;
      const std::vector<Prepared> prepared = prepare(one, problem);
      for (Layout layout : axes.layouts)
        for (const std::string &family : axes.families) {
          problem.layout = layout;
          VerifyResult result;
          result.name = one.name;
          result.type = type;
          result.precision = precision;
          result.layout = layout;
          result.family = family;
          result.multiplyAdds = usefulMultiplyAdds(problem);
          verifyCompiled(problem, family, prepared, result, onResult);
        }
    }
  }
}

/// An error's message says everything.
Expected<Bundle> Verifier::compile(const Problem &problem,
                                   const std::string &family,
                                   const std::vector<std::string> &chips) {
  const Timer timer(spent.compile);
  CompilerSession session;
  auto module = buildLayer(session.context(), problem, axes.epilogue);
  if (!module)
    return tl::unexpected(module.error());
  CompileRequest request;
  request.chips = chips;
  request.family = family;
  request.assemble = device.usesCubins();
  return session.compile(**module, request);
}

void Verifier::verifyCompiled(const Problem &problem, const std::string &family,
                              const std::vector<Prepared> &prepared,
                              const VerifyResult &result,
                              const OnResult &onResult) {
  const Expected<Bundle> together = compile(problem, family, axes.chips);
  if (together || axes.chips.size() == 1)
    return verifyChips(together, axes.chips, prepared, result, onResult);
  // What one chip cannot do is no failure of the others.
  for (const std::string &chip : axes.chips)
    verifyChips(compile(problem, family, {chip}), {chip}, prepared, result,
                onResult);
}

void Verifier::verifyChips(const Expected<Bundle> &bundle,
                           const std::vector<std::string> &chips,
                           const std::vector<Prepared> &prepared,
                           VerifyResult result, const OnResult &onResult) {
  const std::vector<uint8_t> bytes =
      bundle ? serialize(*bundle) : std::vector<uint8_t>();
  for (const std::string &chip : chips) {
    result.chip = chip;
    Expected<LoadedLayer> layer =
        bundle ? LoadedLayer::load(device, bytes, chip, "")
               : Expected<LoadedLayer>(tl::unexpected(bundle.error()));
    for (const Prepared &inputs : prepared) {
      VerifyResult point = result;
      point.fill = inputs.fill;
      point.exact = inputs.exact;
      if (!inputs.failure.empty()) {
        point.failure = inputs.failure;
      } else if (!layer) {
        point.failure = layer.error().message;
      } else {
        const Entry &entry =
            bundle->images[layer->image()].manifest.entries[layer->entry()];
        point.family = entry.family;
        auto done = withinMemory(entry.problem, /*isChecked=*/true, [&] {
          return runAndCheck(*layer, entry, inputs, point);
        });
        if (!done)
          point.failure = done.error().message;
      }
      onResult(point);
    }
  }
}

/// Runs a layer once and notes what the memory checker finds in it.
Expected<Tensor> Verifier::run(const LoadedLayer &layer, const Entry &entry,
                               const LayerInputs &inputs,
                               VerifyResult &result) {
  const Timer timer(spent.device);
  std::vector<MemoryFinding> before;
  if (device.checksMemory()) {
    auto known = device.findings();
    if (!known)
      return tl::unexpected(known.error());
    before = std::move(*known);
  }
  RunTimes times;
  auto output = layer.run(entry, inputs, entry.problem.batch, &times);
  result.launchSeconds = times.launch;
  if (output && device.checksMemory()) {
    auto fresh = device.findingsSince(before);
    if (!fresh)
      return tl::unexpected(fresh.error());
    result.findings = std::move(*fresh);
  }
  return output;
}

Expected<void> Verifier::runAndCheck(const LoadedLayer &layer,
                                     const Entry &entry,
                                     const Prepared &prepared,
                                     VerifyResult &result) {
  const Problem &problem = entry.problem;
  LayerInputs inputs{
      convertLayout(prepared.inputs.input, Layout::ChannelsFirst,
                    problem.layout),
      prepared.inputs.weight, prepared.inputs.bias,
      makeOperands(entry.epilogue, problem.batch, prepared.options)};
  Expected<Tensor> output = run(layer, entry, inputs, result);
  if (!output)
    return tl::unexpected(output.error());
  const Timer timer(spent.check);
  CheckOptions options;
  if (!prepared.exact)
    options.error = accumulationError(
        entry.family == "simt" ? Arithmetic::FMA : Arithmetic::MatrixUnit,
        problem);
  auto report = check(problem, entry.epilogue, prepared.reference,
                      inputs.operands, *output, options);
  if (!report)
    return tl::unexpected(report.error());
  if (!report->passed())
    result.failure = report->summary();
  else if (prepared.fill == "exact" &&
           report->nonZeroFraction() < kLeastNonZero)
    result.failure = llvm::formatv(
        "only {0:f2} of the outputs with taps are not 0, must be at least {1}",
        report->nonZeroFraction(), kLeastNonZero);
  if (result.findings && !result.findings->empty())
    result.failure += (result.failure.empty() ? "" : "; ") +
                      countFindings(*result.findings) +
                      ", first: " + result.findings->front().message;
  result.report = std::move(*report);
  return {};
}
