//===- StagedStore.h - Stores through workgroup memory ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_MMASYNC_STAGEDSTORE_H
#define CTC_LIB_TRANSFORMS_MMASYNC_STAGEDSTORE_H

#include "WarpTile.h"

namespace ctc {

/// Stores fragments whose columns are positions so that the lanes of a warp
/// write neighbours, whatever the output's alignment.
void storeStaged(mlir::ImplicitLocOpBuilder &builder, ir::StoreTileOp op,
                 const WarpTile &tile, const StorePlan &plan,
                 mlir::ValueRange acc);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_MMASYNC_STAGEDSTORE_H
