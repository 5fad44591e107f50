//===- Recorder.h - Records what a test launches ----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// When the environment variable CTC_PTX_RECORD names a folder, the tests write
// the launches they make there, a file PROGRAM.SUITE.ptxrec for each test suite
// of the process (test/gpu/README.md).
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_RECORDER_H
#define CTC_TEST_GPU_RECORDER_H

#include "Record.h"

namespace ctc::gpu {

/// Whether launches are to be recorded.
bool isRecording();

/// Appends a case to the file of the running test's suite and names it after
/// the test. A file that cannot be written ends the test with a failure.
void record(Case value);

template <class T> constexpr Element elementOf() {
  if constexpr (std::is_same_v<T, float>)
    return Element::F32;
  else if constexpr (std::is_same_v<T, double>)
    return Element::F64;
  else
    return sizeof(T) == 8   ? Element::U64
           : sizeof(T) == 4 ? Element::U32
           : sizeof(T) == 2 ? Element::U16
                            : Element::U8;
}

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_RECORDER_H
