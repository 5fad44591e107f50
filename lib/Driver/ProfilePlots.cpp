//===- ProfilePlots.cpp - Bars as SVG -------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProfilePlots.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace ctc;
using namespace ctc::driver;
using llvm::formatv;

/// In units of the drawing.
static constexpr double kWidth = 820, kLabel = 190, kBars = 330, kGap = 8;
static constexpr double kRow = 24, kBarHeight = 14, kBaseline = 4.5;

std::string driver::escaped(llvm::StringRef text) {
  std::string result;
  llvm::raw_string_ostream os(result);
  llvm::printHTMLEscaped(text, os);
  return result;
}

static void drawText(const char *kind, const char *anchor, double x, double y,
                     llvm::StringRef text, llvm::raw_ostream &os) {
  os << formatv("<text class=\"{0}\" x=\"{1:f1}\" y=\"{2:f1}\" "
                "font-size=\"13\" text-anchor=\"{3}\" "
                "fill=\"currentColor\">{4}</text>",
                kind, x, y + kBaseline, anchor, escaped(text));
}

/// Colours are the style sheet's; the attributes stand in where there is none.
static void drawBar(const Bar &bar, double middle, double scale,
                    llvm::raw_ostream &os) {
  const double width = bar.value * scale;
  drawText("label", "end", kLabel - kGap, middle, bar.label, os);
  os << formatv("<rect class=\"{0}\" fill=\"{1}\" x=\"{2:f1}\" y=\"{3:f1}\" "
                "width=\"{4:f1}\" height=\"{5:f1}\" rx=\"2\"/>",
                bar.strong ? "strong" : "bar",
                bar.strong ? "#c2552d" : "#7f9fbf", kLabel,
                middle - kBarHeight / 2, width, kBarHeight);
  double end = width;
  if (bar.mark >= 0) {
    const double at = bar.mark * scale;
    os << formatv("<line class=\"mark\" stroke=\"currentColor\" "
                  "stroke-width=\"2\" x1=\"{0:f1}\" x2=\"{0:f1}\" "
                  "y1=\"{1:f1}\" y2=\"{2:f1}\"/>",
                  kLabel + at, middle - kRow / 2 + 2, middle + kRow / 2 - 2);
    end = std::max(end, at);
  }
  drawText("value", "start", kLabel + end + kGap, middle, bar.text, os);
  os << "\n";
}

void driver::drawBars(llvm::StringRef title, llvm::ArrayRef<Bar> bars,
                      llvm::raw_ostream &os) {
  if (bars.empty())
    return;
  double most = 0;
  for (const Bar &bar : bars)
    most = std::max({most, bar.value, bar.mark});
  const double scale = most > 0 ? kBars / most : 0;
  os << formatv("<svg viewBox=\"0 0 {0:f0} {1:f0}\" role=\"img\" "
                "aria-label=\"{2}\">\n",
                kWidth, kRow * double(bars.size()), escaped(title));
  double middle = kRow / 2;
  for (const Bar &bar : bars) {
    drawBar(bar, middle, scale, os);
    middle += kRow;
  }
  os << "</svg>\n";
}
