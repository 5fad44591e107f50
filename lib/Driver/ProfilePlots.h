//===- ProfilePlots.h - Bars as SVG -----------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plots of the page of `ctc profile`: horizontal bars with their labels and
// values beside them, so that nothing hangs on a colour. Colours come from the
// page's style sheet, by class.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_PROFILEPLOTS_H
#define CTC_LIB_DRIVER_PROFILEPLOTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace ctc::driver {

struct Bar {
  std::string label;
  double value = 0;
  std::string text;    ///< Behind the bar.
  bool strong = false; ///< Drawn as the one that matters.
  double mark = -1;    ///< A tick at this value; none if negative.
};

/// An SVG element as wide as its place; `title` says what it shows. Nothing
/// without bars.
void drawBars(llvm::StringRef title, llvm::ArrayRef<Bar> bars,
              llvm::raw_ostream &os);

/// Text with &, <, > and quotes escaped.
std::string escaped(llvm::StringRef text);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_PROFILEPLOTS_H
