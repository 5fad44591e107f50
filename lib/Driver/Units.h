//===- Units.h - Numbers for people -----------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_UNITS_H
#define CTC_LIB_DRIVER_UNITS_H

#include <string>

namespace ctc::driver {

/// "147.46 K", in powers of 1000; "12" where it is whole and below.
std::string countText(double count);
/// "44.28 KiB", in powers of 1024; "12 B".
std::string byteText(double bytes);
/// "2.35 us"
std::string timeText(double seconds);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_UNITS_H
