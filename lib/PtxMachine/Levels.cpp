//===- Levels.cpp - The best instruction set of the host ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "LevelList.h"

#include <cstdlib>

namespace ctc::ptx {

#define CTC_PTX_DECLARE_LEVEL(level)                                           \
  namespace level {                                                            \
  DecoderTable makeDecoderTable();                                             \
  }
CTC_PTX_LEVELS(CTC_PTX_DECLARE_LEVEL)

namespace {
bool hostExecutes(std::string_view level) {
#if defined(__x86_64__) && defined(__clang__)
  __builtin_cpu_init();
  if (level == "x86_64_v4")
    return __builtin_cpu_supports("x86-64-v4");
  if (level == "x86_64_v3")
    return __builtin_cpu_supports("x86-64-v3");
#endif
  return level == "baseline";
}
} // namespace

const DecoderTable &decoderTable() {
  static const DecoderTable table = [] {
    const char *wish = std::getenv("CTC_PTX_LEVEL");
    // From the best to the baseline, which is always there.
#define CTC_PTX_TRY_LEVEL(level)                                               \
  if (hostExecutes(#level) && (!wish || std::string_view(wish) == #level))     \
    return level::makeDecoderTable();
    CTC_PTX_LEVELS(CTC_PTX_TRY_LEVEL)
    return baseline::makeDecoderTable();
  }();
  return table;
}

} // namespace ctc::ptx
