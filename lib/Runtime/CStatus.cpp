//===- CStatus.cpp - C API: statuses and messages -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

using namespace ctc;
using namespace ctc::rt;

static thread_local std::string lastError;

ctc_status ctc::rt::report(const Failure &failure) {
  lastError = failure.message;
  return failure.status;
}

Result<void> ctc::rt::require(std::initializer_list<Required> pointers) {
  for (const Required &pointer : pointers)
    if (!pointer.value)
      return fail(CTC_INVALID_ARGUMENT, std::string(pointer.name) + " is NULL");
  return {};
}

Result<void> ctc::rt::requireIndex(const char *what, size_t index,
                                   size_t count) {
  if (index < count)
    return {};
  return fail(CTC_INVALID_ARGUMENT, "no " + std::string(what) + " number " +
                                        std::to_string(index) + ": there are " +
                                        std::to_string(count));
}

const char *ctc_last_error(void) { return lastError.c_str(); }

const char *ctc_version(void) { return CTC_VERSION; }

const char *ctc_status_name(ctc_status status) {
  switch (status) {
#define CTC_STATUS(name)                                                       \
  case name:                                                                   \
    return #name;
    CTC_STATUS(CTC_OK)
    CTC_STATUS(CTC_INVALID_ARGUMENT)
    CTC_STATUS(CTC_FILE_ERROR)
    CTC_STATUS(CTC_INVALID_BUNDLE)
    CTC_STATUS(CTC_NO_DEVICE)
    CTC_STATUS(CTC_NO_IMAGE)
    CTC_STATUS(CTC_NOT_PREPARED)
    CTC_STATUS(CTC_OUT_OF_MEMORY)
    CTC_STATUS(CTC_DEVICE_ERROR)
#undef CTC_STATUS
  }
  return "unknown status";
}
