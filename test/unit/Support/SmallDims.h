//===- SmallDims.h - Every small spatial dimension --------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_SUPPORT_SMALLDIMS_H
#define CTC_TEST_UNIT_SUPPORT_SMALLDIMS_H

#include "ctc/Support/Problem.h"

#include <gtest/gtest.h>

namespace ctc {

/// Calls `body` for every small combination of attributes that has an output,
/// out of 20736 dimensions, until an assertion fails.
template <typename Body> void forEachSmallDim(Body body) {
  for (int64_t input : {0, 1, 2, 5})
    for (int64_t kernel = 1; kernel <= 6; ++kernel)
      for (int64_t stride = 1; stride <= 6; ++stride)
        for (int64_t dilation = 1; dilation <= 4; ++dilation)
          for (int64_t low : {-2, 0, 1, 3})
            for (int64_t high : {-1, 0, 2})
              for (int64_t extra : {0, 1, 7}) {
                const SpatialDim dim{input, kernel, stride, dilation,
                                     low,   high,   extra};
                if (::testing::Test::HasFatalFailure())
                  return;
                if (outputSize(dim))
                  body(dim);
              }
}

} // namespace ctc

#endif // CTC_TEST_UNIT_SUPPORT_SMALLDIMS_H
