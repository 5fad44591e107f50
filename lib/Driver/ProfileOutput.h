//===- ProfileOutput.h - A profile as table, JSON and page ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_PROFILEOUTPUT_H
#define CTC_LIB_DRIVER_PROFILEOUTPUT_H

#include "ProfileSummary.h"

#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace ctc::driver {

/// For people: the sums of every launch, the estimate, the hottest lines.
void printProfile(const ProfileReport &report, llvm::raw_ostream &os);

/// The same and every instruction, as docs/Profile.md describes it. Times are
/// in seconds, rounded to nanoseconds.
llvm::json::Value profileToJson(const ProfileReport &report);

/// A page of HTML that needs no other file.
std::string profilePage(const ProfileReport &report);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_PROFILEOUTPUT_H
