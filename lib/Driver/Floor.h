//===- Floor.h - The least time a layer can take ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_FLOOR_H
#define CTC_LIB_DRIVER_FLOOR_H

#include "ctc/Support/Problem.h"
#include "ctc/Support/WorkFactors.h"

#include <string_view>

namespace ctc::driver {

/// What a board can move and multiply at most, per second, and who says so.
struct Ceilings {
  std::string board;
  std::string source;
  double memoryBytes = 0;
  /// Multiply-adds with sums in f32.
  double tf32 = 0, sixteen = 0, fp32 = 0;
};

/// Of the GPU with this name and compute capability: measured on an H200, else
/// what the vendor publishes of the board that lib/Chips has for the
/// capability; nothing when it has none.
std::optional<Ceilings> ceilingsOf(std::string_view gpu, int major, int minor);

/// Bytes of x, w and y once each over the memory's rate, or multiply-adds of
/// in-range taps over the unit's, whichever takes longer.
struct Floor {
  double seconds = 0;
  bool isCompute = false; ///< Which of the two it is.
  double bytes = 0, multiplyAdds = 0;
  std::string unit; ///< "tf32", "tf32, three times", "16-bit", "f32"
};

/// `work` is the entry's, whose sums are per sample when its batch is dynamic;
/// `problem` has the batch that is run.
Floor floorOf(const Problem &problem, const WorkFactors &work,
              bool workIsPerSample, const Ceilings &ceilings);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_FLOOR_H
