//===- Toolkit.h - The parts of the CUDA toolkit we call ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CODEGEN_TOOLKIT_H
#define CTC_CODEGEN_TOOLKIT_H

#include "ctc/Support/Error.h"

#include <string>

namespace ctc {

/// Paths of ptxas and libdevice. Looked for, in this order, in the toolkit that
/// the environment variable CTC_CUDA_TOOLKIT names (no other place is tried
/// then), the one the build was configured with, CUDA_HOME, CUDA_PATH,
/// /usr/local/cuda; ptxas on PATH at last. A toolkit is a folder with
/// bin/ptxas and nvvm/libdevice/libdevice.10.bc.
Expected<std::string> findPtxas();
Expected<std::string> findLibdevice();

} // namespace ctc

#endif // CTC_CODEGEN_TOOLKIT_H
