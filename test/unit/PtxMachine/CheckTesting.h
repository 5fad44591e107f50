//===- CheckTesting.h - Kernels with a planted fault ------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_PTXMACHINE_CHECKTESTING_H
#define CTC_TEST_UNIT_PTXMACHINE_CHECKTESTING_H

#include "PtxTesting.h"

namespace ctc::ptx {
inline void PrintTo(const Finding &finding, std::ostream *out) {
  *out << nameOf(finding.kind) << ": " << finding.message << "; "
       << finding.occurrences << " times";
}
} // namespace ctc::ptx

namespace ctc::ptx::testing {

/// A launch of kernel `k` that checks memory. The kernel's one parameter, if
/// `bytes` is not 0, is the address of so many bytes, of which the host has
/// written the first `written`.
struct CheckedLaunch {
  LaunchConfig config;
  uint64_t bytes = 0;
  uint64_t written = ~uint64_t(0);

  CheckedLaunch &threads(uint32_t count) {
    config.block.x = count;
    return *this;
  }
  CheckedLaunch &blocks(uint32_t count) {
    config.grid.x = count;
    return *this;
  }
  CheckedLaunch &clusters(uint32_t size) {
    config.grid.x = std::max(config.grid.x, size);
    config.cluster.x = size;
    return *this;
  }
  CheckedLaunch &memory(uint64_t size, uint64_t first = ~uint64_t(0)) {
    bytes = size;
    written = first;
    return *this;
  }
};

/// What the launch finds; a fault or an error comes back as the only finding,
/// with 0 occurrences.
inline std::vector<Finding> check(const std::string &ptx,
                                  const CheckedLaunch &launch) {
  GlobalMemory memory;
  auto module = LoadedModule::load(ptx, memory);
  if (!module)
    return {{FindingKind::Race, module.error().message, 0}};
  LaunchConfig config = launch.config;
  config.checkMemory = true;
  config.hostThreads = config.hostThreads ? config.hostThreads : 1;
  if (launch.bytes) {
    const uint64_t address = *memory.allocate(launch.bytes);
    auto marked =
        memory.setInitialized(address, std::min(launch.written, launch.bytes));
    EXPECT_TRUE(marked);
    config.parameters = parameters({address});
  }
  auto done = (*module)->launch("k", config);
  if (!done)
    return {{FindingKind::Race, done.error().message, 0}};
  return done->findings;
}

/// A kernel with tile, 1024 bytes of shared memory; %tid.x in %t0, the address
/// of tile plus 4 bytes per thread in %s0, of tile in %s1, and, if
/// `hasMemory`, the parameter in %w0, with 16 bytes per thread in %w1.
inline std::string tileKernel(const std::string &body, bool hasMemory = false) {
  return kernel(
      ".reg .b32 %s<8>; .reg .b16 %h<4>; .reg .f32 %f<4>;\n"
      "mov.u32 %t0, %tid.x; mov.u32 %s1, tile; mad.lo.u32 %s0, %t0, 4, %s1;\n" +
          std::string(hasMemory ? "ld.param.u64 %w0, [data]; "
                                  "mad.wide.u32 %w1, %t0, 16, %w0;\n"
                                : "") +
          body,
      hasMemory ? ".param .u64 data" : "",
      ".shared .align 128 .b8 tile[1024];");
}

/// Matches a finding of this kind whose message has `text` in it.
MATCHER_P2(IsFinding, kind, text, "") {
  return arg.kind == kind && arg.message.find(text) != std::string::npos;
}

} // namespace ctc::ptx::testing

#endif // CTC_TEST_UNIT_PTXMACHINE_CHECKTESTING_H
