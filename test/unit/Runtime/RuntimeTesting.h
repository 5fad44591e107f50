//===- RuntimeTesting.h - What the runtime's tests share --------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_RUNTIME_RUNTIMETESTING_H
#define CTC_TEST_UNIT_RUNTIME_RUNTIMETESTING_H

#include "../Bundle/SampleBundle.h"
#include "ctc/Runtime/ctc_runtime.hpp"

#include <gtest/gtest.h>

namespace ctc::test {

/// A call must fail with this status and this message.
#define EXPECT_FAILS(call, expectedStatus, expectedMessage)                    \
  do {                                                                         \
    const ctc_status actualStatus = (call);                                    \
    EXPECT_STREQ(ctc_status_name(actualStatus),                                \
                 ctc_status_name(expectedStatus));                             \
    EXPECT_EQ(std::string(ctc_last_error()), expectedMessage);                 \
  } while (false)

/// A call must succeed; its message is shown if it does not.
#define ASSERT_GOOD(call)                                                      \
  do {                                                                         \
    const ctc_status actualStatus = (call);                                    \
    ASSERT_EQ(actualStatus, CTC_OK) << ctc_last_error();                       \
  } while (false)

/// The handle of a bundle made in C++.
inline runtime::Bundle open(const Bundle &bundle) {
  const auto bytes = serialize(bundle);
  return runtime::Bundle::fromMemory(bytes.data(), bytes.size());
}

} // namespace ctc::test

#endif // CTC_TEST_UNIT_RUNTIME_RUNTIMETESTING_H
