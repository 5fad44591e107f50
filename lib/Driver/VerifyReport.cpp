//===- VerifyReport.cpp - What verify has to say --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VerifyReport.h"
#include "Json.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;

static llvm::json::Object toJson(const VerifyResult &result) {
  llvm::json::Object object{
      {"case", result.name},
      {"dtype", std::string(ctc::name(result.type))},
      {"precision", std::string(ctc::name(result.precision))},
      {"layout", std::string(ctc::name(result.layout))},
      {"chip", result.chip},
      {"family", result.family},
      {"fill", result.fill},
      {"exact", result.exact},
      {"multiply_adds", result.multiplyAdds},
      {"passed", result.passed()},
      {"launch_seconds", roundedSeconds(result.launchSeconds)}};
  if (!result.passed())
    object["failure"] = result.failure;
  if (result.findings)
    object["memory_findings"] = llvm::json::Array(*result.findings);
  if (result.report) {
    object["outputs"] = result.report->outputs;
    object["wrong"] = result.report->wrong;
    object["nan"] = result.report->nan;
    object["undecided"] = result.report->undecided;
    object["error_over_bound"] = result.report->worstRatio;
    object["non_zero"] = result.report->nonZeroFraction();
  }
  return object;
}

void VerifyReport::add(const VerifyResult &result) {
  ++(result.passed() ? passes : failures);
  if (result.report) {
    (result.exact ? exactOutputs : boundedOutputs) += result.report->outputs;
    if (result.passed() && !result.exact &&
        result.report->worstRatio > worstRatio) {
      worstRatio = result.report->worstRatio;
      worstName = result.name + " [" + result.describe() + "]";
    }
  }
  if (result.findings) {
    ++memoryChecked;
    memoryFindings += int64_t(result.findings->size());
  }
  if (json)
    results.push_back(toJson(result));
  else if (!result.passed())
    os << "FAIL " << result.name << " [" << result.describe()
       << "]: " << result.failure << "\n";
}

void VerifyReport::finish(size_t cases, const std::string &device,
                          const VerifyTimes &times, double seconds) {
  if (!json)
    return printSummary(cases, device, times, seconds);
  llvm::json::Object object{
      {"device", device},
      {"cases", static_cast<int64_t>(cases)},
      {"passed", passes},
      {"failed", failures},
      {"worst_error_over_bound", worstRatio},
      {"seconds",
       llvm::json::Object{{"all", roundedSeconds(seconds)},
                          {"compile", roundedSeconds(times.compile)},
                          {"reference", roundedSeconds(times.reference)},
                          {"device", roundedSeconds(times.device)},
                          {"check", roundedSeconds(times.check)}}},
      {"results", std::move(results)}};
  printJson(std::move(object), os);
}

void VerifyReport::printSummary(size_t cases, const std::string &device,
                                const VerifyTimes &times, double seconds) {
  os << formatv("{0} passed, {1} failed; {2} cases on {3}\n", passes, failures,
                cases, device);
  os << formatv("{0} outputs compared bit for bit, {1} with the bound",
                exactOutputs, boundedOutputs);
  if (!worstName.empty())
    os << formatv("; worst error {0:f3} of the bound in {1}", worstRatio,
                  worstName);
  if (memoryChecked)
    os << formatv("\nmemory checked in {0} runs, {1} found", memoryChecked,
                  memoryFindings ? std::to_string(memoryFindings) : "nothing");
  os << formatv("\n{0:f1} s: compile {1:f1}, reference {2:f1}, device {3:f1}, "
                "check {4:f1}\n",
                seconds, times.compile, times.reference, times.device,
                times.check);
}

Progress::Progress(bool enabled)
    : enabled(enabled && llvm::sys::Process::StandardErrIsDisplayed()) {}

Progress::~Progress() { clear(); }

void Progress::show(size_t done, size_t all, llvm::StringRef name) {
  if (enabled)
    llvm::errs() << formatv("\r\033[K[{0}/{1}] {2}", done, all,
                            name.take_front(60));
}

void Progress::clear() {
  if (enabled)
    llvm::errs() << "\r\033[K";
}
