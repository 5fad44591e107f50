//===- Entry.h - Conventions of an entry ----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TRANSFORMS_ENTRY_H
#define CTC_TRANSFORMS_ENTRY_H

#include "llvm/ADT/StringRef.h"

namespace ctc {

/// The prepare function of entry `f` is `f__prepare`.
inline constexpr llvm::StringLiteral kPrepareSuffix = "__prepare";
/// Discardable attribute of an entry's argument: its name for users.
inline constexpr llvm::StringLiteral kNameAttr = "ctc.name";
/// Discardable attribute of a layer: why its kernel was chosen.
inline constexpr llvm::StringLiteral kReasonAttr = "ctc.reason";
/// Discardable attribute of an entry: an array of #ctc.kernel whose registers
/// did not fit, in whose place ctc-select-kernel takes others.
inline constexpr llvm::StringLiteral kSpilledAttr = "ctc.spilled";
/// Discardable attribute of a module: the #ctc.target its kernels are for.
inline constexpr llvm::StringLiteral kTargetAttr = "ctc.target";
/// Discardable attribute of a kernel: its #ctc.kernel.
inline constexpr llvm::StringLiteral kKernelAttr = "ctc.kernel";
/// Discardable attribute of a kernel: input steps per spatial dimension.
inline constexpr llvm::StringLiteral kWindowAttr = "ctc.window";
/// The gpu.module that holds all kernels of a module.
inline constexpr llvm::StringLiteral kKernelModule = "ctc_kernels";

} // namespace ctc

#endif // CTC_TRANSFORMS_ENTRY_H
