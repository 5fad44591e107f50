//===- LayerFlags.h - A layer from flags ------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LAYERFLAGS_H
#define CTC_LIB_DRIVER_LAYERFLAGS_H

#include "ctc/Support/Problem.h"

#include "llvm/Option/ArgList.h"

namespace ctc::driver {

/// Whether any flag that describes a layer is given.
bool hasLayerFlags(const llvm::opt::ArgList &arguments);

/// The layer that --input, --weight and the flags beside them describe. Fails
/// with Usage on a malformed flag and with InvalidProblem on an illegal layer.
Expected<Problem> problemFromFlags(const llvm::opt::ArgList &arguments);

/// The steps of --epilogue.
std::vector<std::string> epilogueFromFlags(const llvm::opt::ArgList &arguments);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LAYERFLAGS_H
