//===- Report.h - What a comparison found -----------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_REPORT_H
#define CTC_TEST_GPU_REPORT_H

#include "Workers.h"

#include <ostream>

namespace ctc::gpu {

/// A line per family, then a line per case that is not identical (at most
/// `listed` of each family).
void printTable(const Records &records, const RunResults &results,
                size_t listed, std::ostream &os);

/// The same as JSON: the device, the families, and every case that is not
/// identical.
void printJson(const Records &records, const RunResults &results,
               std::ostream &os);

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_REPORT_H
