//===- SourceText.h - Instructions and threads in words ---------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_PROGRAM_SOURCETEXT_H
#define CTC_LIB_PTXMACHINE_PROGRAM_SOURCETEXT_H

#include "Program/Program.h"

namespace ctc::ptx {

/// "(1, 0, 0)"
std::string describe(const Dim3 &index);

/// "PTX line 7, 'ld.global.f32 %f0, [%rd0];' (at kernel.cu:3:5)"; the last part
/// only where the text has .loc.
std::string describeSource(const Program &program, uint32_t source);

/// The index of a thread from its number in a block of `size`.
Dim3 threadIndex(const Dim3 &size, unsigned thread);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_PROGRAM_SOURCETEXT_H
