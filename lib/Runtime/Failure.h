//===- Failure.h - What the runtime reports ---------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Inside the runtime a failure is the status the C API returns and the sentence
// ctc_last_error gives.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_RUNTIME_FAILURE_H
#define CTC_LIB_RUNTIME_FAILURE_H

#include "ctc/Runtime/ctc_runtime.h"
#include "ctc/Support/Error.h"

namespace ctc::rt {

struct Failure {
  ctc_status status = CTC_DEVICE_ERROR;
  std::string message;
};

template <typename T> using Result = tl::expected<T, Failure>;

inline tl::unexpected<Failure> fail(ctc_status status, std::string message) {
  return tl::unexpected<Failure>(Failure{status, std::move(message)});
}

/// An error of the libraries below under the status it means here.
inline tl::unexpected<Failure> fail(ctc_status status, Error error) {
  return fail(status, std::move(error.message));
}

} // namespace ctc::rt

#endif // CTC_LIB_RUNTIME_FAILURE_H
