//===- Ptx.h - From the NVVM dialect to PTX -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CODEGEN_PTX_H
#define CTC_CODEGEN_PTX_H

#include "ctc/Chips/Chips.h"
#include "ctc/Support/Error.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace ctc {

/// PTX of a gpu.module in the NVVM dialect, optimised for one chip. Functions
/// of libdevice are linked in where the kernels call them; without libdevice
/// such a kernel is an error, never PTX with unresolved calls.
Expected<std::string> emitPtx(mlir::gpu::GPUModuleOp kernels, const Chip &chip);

} // namespace ctc

#endif // CTC_CODEGEN_PTX_H
