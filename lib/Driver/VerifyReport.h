//===- VerifyReport.h - What verify has to say ------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_VERIFYREPORT_H
#define CTC_LIB_DRIVER_VERIFYREPORT_H

#include "Verifier.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace ctc::driver {

/// Counts results and prints them: a line per failure as it happens and a
/// summary, or one JSON object at the end.
class VerifyReport {
public:
  VerifyReport(llvm::raw_ostream &os, bool json) : os(os), json(json) {}

  void add(const VerifyResult &result);
  void finish(size_t cases, const std::string &device, const VerifyTimes &times,
              double seconds);

  int64_t failed() const { return failures; }
  int64_t passed() const { return passes; }

private:
  void printSummary(size_t cases, const std::string &device,
                    const VerifyTimes &times, double seconds);

  llvm::raw_ostream &os;
  bool json;
  int64_t passes = 0, failures = 0;
  int64_t exactOutputs = 0, boundedOutputs = 0;
  int64_t memoryChecked = 0, memoryFindings = 0;
  double worstRatio = 0;
  std::string worstName;
  llvm::json::Array results;
};

/// A line that is overwritten on a terminal and absent elsewhere.
class Progress {
public:
  explicit Progress(bool enabled);
  ~Progress();
  void show(size_t done, size_t all, llvm::StringRef name);
  void clear();

private:
  bool enabled;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_VERIFYREPORT_H
