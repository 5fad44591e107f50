//===- ListingTest.cpp - Places in a bundle's listing ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Listing.h"

#include <gtest/gtest.h>

using ctc::driver::quoteListing;

namespace {

constexpr const char *kText = "gpu.module @kernels {\n"
                              "    memref.store %1, %2[%3] : memref<4xf32>\n"
                              "}\n";

TEST(ListingTest, EveryPlaceIsQuoted) {
  EXPECT_EQ(quoteListing("'st' (at kernels.mlir:2:5): races with 'ld' (at "
                         "kernels.mlir:1)",
                         kText),
            "'st' (at kernels.mlir:2:5 `memref.store %1, %2[%3] : "
            "memref<4xf32>`): races with 'ld' (at kernels.mlir:1 `gpu.module "
            "@kernels {`)");
}

TEST(ListingTest, WhatIsNoPlaceStays) {
  EXPECT_EQ(quoteListing("at kernels.mlir:2:5", ""), "at kernels.mlir:2:5");
  EXPECT_EQ(quoteListing("at kernels.mlir:99:5, kernels.mlir:0", kText),
            "at kernels.mlir:99:5, kernels.mlir:0");
  EXPECT_EQ(quoteListing("at other.cu:1:1", kText), "at other.cu:1:1");
}

} // namespace
