//===- ctc-check.cpp - Bundles against the reference, without LLVM --------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// ctc-check [--device=NAME] BUNDLE...
//
// Runs the only entry of each bundle with an exact and a random fill and
// compares every output with the float64 reference, as `ctc verify` does, and a
// second run with the first, which must give the same bits. For machines with a
// GPU and without LLVM: it needs libctc_runtime only. Exit codes are those of
// ctc.
//
//===----------------------------------------------------------------------===//

#include "Device.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Reference/Check.h"
#include "ctc/Reference/Fill.h"
#include "ctc/Support/File.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

using namespace ctc;
using namespace ctc::driver;

namespace {

struct Totals {
  int passed = 0, failed = 0;
  int64_t outputs = 0;
  double worstRatio = 0;
};

/// Why a run with one fill is not right; empty when it is.
std::string checkFill(const LoadedLayer &layer, const Entry &entry, Fill fill,
                      Totals &totals) {
  if (entry.problem.hasDynamicBatch())
    return "its batch is dynamic, must be static";
  auto inputs = makeInputs(entry.problem, entry.epilogue, {fill, 0, {}});
  if (!inputs)
    return inputs.error().message;
  const bool exact = fill == Fill::Exact;
  const Accumulation reference =
      accumulate(entry.problem, *inputs, {.magnitude = !exact});
  CheckOptions options;
  if (!exact)
    options.error = accumulationError(Arithmetic::FMA, entry.problem);
  auto first = layer.run(entry, *inputs, entry.problem.batch);
  auto second = layer.run(entry, *inputs, entry.problem.batch);
  if (!first || !second)
    return (first ? second : first).error().message;
  auto report = check(entry.problem, entry.epilogue, reference,
                      inputs->operands, *first, options);
  if (!report)
    return report.error().message;
  totals.outputs += report->outputs;
  totals.worstRatio = std::max(totals.worstRatio, report->worstRatio);
  if (!report->passed())
    return report->summary();
  return first->bytes() == second->bytes() ? "" : "two runs differ in bits";
}

/// Why a bundle cannot be run; empty when it was, right or wrong.
std::string checkBundle(const Device &device, const std::string &path,
                        Totals &totals) {
  auto bundle = readBundle(path);
  if (!bundle)
    return bundle.error().message;
  auto layer = LoadedLayer::load(device, serialize(*bundle), "", "");
  if (!layer)
    return layer.error().message;
  const Entry &entry =
      bundle->images[layer->image()].manifest.entries[layer->entry()];
  for (Fill fill : {Fill::Exact, Fill::Random}) {
    const std::string fault = checkFill(*layer, entry, fill, totals);
    ++(fault.empty() ? totals.passed : totals.failed);
    if (!fault.empty())
      std::printf("FAIL %s [%s]: %s\n", path.c_str(),
                  std::string(name(fill)).c_str(), fault.c_str());
  }
  return "";
}

} // namespace

int main(int argc, char **argv) {
  std::string name = "auto";
  std::vector<std::string> paths(argv + 1, argv + argc);
  if (!paths.empty() && paths.front().starts_with("--device=")) {
    name = paths.front().substr(sizeof("--device=") - 1);
    paths.erase(paths.begin());
  }
  if (paths.empty()) {
    std::fputs("usage: ctc-check [--device=NAME] BUNDLE...\n", stderr);
    return static_cast<int>(ErrorCode::Usage);
  }
  auto device = Device::open(name);
  if (!device) {
    std::fprintf(stderr, "ctc-check: error: %s\n",
                 device.error().message.c_str());
    return static_cast<int>(device.error().code);
  }
  std::printf("%s\n", device->describe().c_str());
  Totals totals;
  for (const std::string &path : paths)
    if (std::string fault = checkBundle(*device, path, totals);
        !fault.empty()) {
      ++totals.failed;
      std::printf("FAIL %s: %s\n", path.c_str(), fault.c_str());
    }
  std::printf("%d passed, %d failed; %lld outputs, worst error %.3f of the "
              "bound\n",
              totals.passed, totals.failed,
              static_cast<long long>(totals.outputs), totals.worstRatio);
  return totals.failed ? static_cast<int>(ErrorCode::WrongResult) : 0;
}
