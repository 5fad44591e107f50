//===- Error.h - Errors as values -------------------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Both wings report failures of user input as values, never by exiting or
// asserting. A message is one sentence that names the offending value and
// what would be legal; the code tells the driver which exit status to use.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_SUPPORT_ERROR_H
#define CTC_SUPPORT_ERROR_H

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace ctc {

/// What kind of thing went wrong. The values up to DeviceError are the exit
/// codes of `ctc` (docs/Driver.md).
enum class ErrorCode {
  InvalidProblem = 1, ///< The layer or program does not compile.
  Usage = 2,          ///< Unknown flag, unreadable or wrong-shaped file.
  WrongResult = 3,    ///< A result differs from the reference.
  NoDevice = 4,       ///< The device asked for does not exist here.
  DeviceError = 5,    ///< A device or a bundle failed.
};

struct Error {
  ErrorCode code = ErrorCode::InvalidProblem;
  std::string message;
};

template <typename T> using Expected = tl::expected<T, Error>;

inline tl::unexpected<Error> makeError(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// The layer or program does not compile.
inline tl::unexpected<Error> invalidProblem(std::string message) {
  return makeError(ErrorCode::InvalidProblem, std::move(message));
}

} // namespace ctc

#endif // CTC_SUPPORT_ERROR_H
