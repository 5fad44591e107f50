//===- PackKernel.h - The kernel that packs weights -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_PACKKERNEL_H
#define CTC_LIB_TRANSFORMS_PACKKERNEL_H

#include "ctc/Dialect/CTC.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace ctc {

/// Replaces ctc.pack_weights by a launch of a kernel with one thread per packed
/// element, made in `kernels`. Empty packed weights need no launch.
llvm::LogicalResult buildPackKernel(ir::PackWeightsOp op,
                                    mlir::gpu::GPUModuleOp kernels);

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_PACKKERNEL_H
