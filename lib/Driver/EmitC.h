//===- EmitC.h - A bundle as C source ---------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_EMITC_H
#define CTC_LIB_DRIVER_EMITC_H

#include "ctc/Bundle/Manifest.h"

namespace ctc::driver {

/// A C99 header and source (docs/Driver.md).
struct CSource {
  std::string header, source;
};

/// A bundle embedded in C source, with functions that load it, prepare the
/// weights and launch it through libctc_runtime. `name` begins all names, and
/// the header is included as NAME.h. Fails with Usage when it or an entry's
/// name cannot be a C name, or two names become one.
Expected<CSource> emitC(const Bundle &bundle, const std::string &name);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_EMITC_H
