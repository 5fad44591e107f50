//===- BenchReport.h - What bench has to say --------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_BENCHREPORT_H
#define CTC_LIB_DRIVER_BENCHREPORT_H

#include "LayerBench.h"

#include "llvm/Support/raw_ostream.h"

namespace ctc::driver {

/// An entry that was timed, or why it was not.
struct BenchRow {
  std::string entry, chip, family, kernel;
  Expected<LayerBench> bench;
};

struct BenchReport {
  std::string bundle, device;
  std::optional<Ceilings> ceilings;
  uint64_t secondLevelBytes = 0;
  std::vector<BenchRow> rows;

  void print(llvm::raw_ostream &os) const;
  void printJson(llvm::raw_ostream &os) const;
  /// WrongResult if a result is wrong, else the first failure; its message is
  /// in the report.
  Expected<void> outcome() const;
};

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_BENCHREPORT_H
