//===- CaseFile.h - Layers to verify, from JSON -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file of cases is {"cases": [...]}. A case has name, N, Cin, Cout, spatial,
// kernel, stride, padding, output_padding, dilation, groups, bias and, for
// checking, out_spatial. Padding is per dimension a number for both sides or
// [low, high]; bias is true, false or null (none). A case with x, w, y and
// maybe b (nested lists) carries its own tensors. An epilogue named in a file
// is not applied: what stands there (pooling, normalisation) is not
// elementwise.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_CASEFILE_H
#define CTC_LIB_DRIVER_CASEFILE_H

#include "ctc/Support/Problem.h"

#include "llvm/ADT/StringRef.h"

namespace ctc::driver {

/// Tensors that a case brings along, in canonical order (N,C,spatial).
struct CaseTensors {
  std::vector<double> input, weight, bias, output;
};

struct Case {
  std::string name;
  /// Channels first, f32; the batch is static.
  Problem problem;
  std::optional<CaseTensors> tensors;
  bool namesEpilogue = false;
};

/// Reads a file of cases; "-" is standard input. Fails with Usage when it is
/// unreadable or no file of cases, and with InvalidProblem on an illegal layer;
/// both name the case.
Expected<std::vector<Case>> readCases(const std::string &path);

/// The same from text.
Expected<std::vector<Case>> parseCases(llvm::StringRef text,
                                       const std::string &path);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_CASEFILE_H
