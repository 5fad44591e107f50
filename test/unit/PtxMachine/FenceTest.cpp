//===- FenceTest.cpp - fence, membar, griddepcontrol, nanosleep, pmevent --===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxTesting.h"

#include <sstream>

using namespace ctc::ptx;
using namespace ctc::ptx::testing;
using ::testing::HasSubstr;

namespace {

std::string run(const std::string &instruction) {
  return runMessage(kernel(instruction + ";"));
}

std::vector<std::string> lines(const std::string &text) {
  std::istringstream stream(text);
  std::vector<std::string> result;
  for (std::string line; std::getline(stream, line);)
    if (!line.empty())
      result.push_back(line);
  return result;
}

/// What an assembler for sm_90a takes.
TEST(FenceTest, EveryForm) {
  for (const std::string &form : lines(R"(
membar.cta
membar.gl
membar.sys
membar.proxy.alias
fence.sc.cta
fence.sc.cluster
fence.sc.gpu
fence.sc.sys
fence.acq_rel.cta
fence.acq_rel.sys
fence.acquire.gpu
fence.release.cluster
fence.gpu
fence.mbarrier_init.release.cluster
fence.acquire.sync_restrict::shared::cluster.cluster
fence.release.sync_restrict::shared::cta.cluster
fence.proxy.alias
fence.proxy.async
fence.proxy.async.global
fence.proxy.async.shared::cta
fence.proxy.async.shared::cluster
fence.proxy.async::generic.acquire.sync_restrict::shared::cluster.cluster
fence.proxy.async::generic.release.sync_restrict::shared::cta.cluster
fence.proxy.tensormap::generic.release.gpu
fence.proxy.tensormap::generic.acquire.sys [%w0], 128
fence.proxy.tensormap::generic.acquire.cta [%w0+128], 128
griddepcontrol.wait
griddepcontrol.launch_dependents
nanosleep.u32 100
nanosleep.u32 %t0
pmevent 15
pmevent.mask 65535
)"))
    EXPECT_EQ(run(form), "ran") << form;
}

/// What it does not take.
TEST(FenceTest, UnknownForms) {
  for (const std::string &form : lines(R"(
membar
membar.gpu
membar.proxy.async
fence
fence.sc
fence.sc.gpu.gpu
fence.mbarrier_init.release.cta
fence.acquire.sync_restrict::shared::cta.cluster
fence.proxy
fence.proxy.async.shared
fence.proxy.generic
fence.proxy.async::generic.release.sync_restrict::shared::cluster.cluster
fence.proxy.tensormap::generic.gpu
fence.proxy.tensormap::generic.acquire.gpu [%w0]
griddepcontrol
griddepcontrol.wait.sync
nanosleep 100
nanosleep.u32 100, 100
pmevent
brkpt
)"))
    EXPECT_THAT(run(form),
                HasSubstr("unknown instruction '" + std::string(form) + ";'"));
}

TEST(FenceTest, BadOperands) {
  EXPECT_THAT(run("fence.proxy.tensormap::generic.acquire.gpu [%w0], 64"),
              HasSubstr("the size must be 128, that of a tensor map"));
  EXPECT_THAT(run("nanosleep.u32 %w0"),
              HasSubstr("'%w0' has 64 bits where 32 are needed"));
  EXPECT_THAT(run("pmevent 16"),
              HasSubstr("the event must be a literal from 0 to 15"));
  EXPECT_THAT(run("pmevent.mask 65536"),
              HasSubstr("the event must be a literal from 0 to 65535"));
}

} // namespace
