//===- CCheck.cpp - C API: launches that check memory ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuDevice.h"
#include "Handles.h"
#include "ctc/Runtime/ctc_check.h"

using namespace ctc;
using namespace ctc::rt;

static_assert(
    CTC_RACE == int(ptx::FindingKind::Race) &&
        CTC_MISSING_PROXY_FENCE == int(ptx::FindingKind::MissingProxyFence) &&
        CTC_UNINITIALIZED_READ == int(ptx::FindingKind::UninitializedRead) &&
        CTC_MBARRIER_MISUSE == int(ptx::FindingKind::MBarrierMisuse) &&
        CTC_UNFINISHED == int(ptx::FindingKind::Unfinished) &&
        CTC_CLUSTER_LIFETIME == int(ptx::FindingKind::ClusterLifetime) &&
        CTC_MATRIX_REGISTER == int(ptx::FindingKind::MatrixRegister),
    "the C enumeration mirrors ptx::FindingKind");

ctc_status ctc_cpu_check_memory(ctc_device *device, int enable) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}}));
    const auto cpu = asCpu(*device->opened.device);
    CTC_RETURN_IF_FAILED(cpu);
    (*cpu)->setCheckMemory(enable != 0);
    return {};
  });
}

const char *ctc_finding_kind_name(ctc_finding_kind kind) {
  // The names are literals, which end with a zero.
  return ptx::nameOf(static_cast<ptx::FindingKind>(kind)).data();
}

ctc_status ctc_cpu_finding_count(const ctc_device *device, size_t *count) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}, {"count", count}}));
    const auto cpu = asCpu(*device->opened.device);
    CTC_RETURN_IF_FAILED(cpu);
    *count = (*cpu)->findingCount();
    return {};
  });
}

ctc_status ctc_cpu_get_finding(const ctc_device *device, size_t index,
                               ctc_finding *finding) {
  return guarded([&]() -> Result<void> {
    CTC_RETURN_IF_FAILED(require({{"device", device}, {"finding", finding}}));
    const auto cpu = asCpu(*device->opened.device);
    CTC_RETURN_IF_FAILED(cpu);
    const size_t count = (*cpu)->findingCount();
    if (index >= count)
      return fail(CTC_INVALID_ARGUMENT, "no finding " + std::to_string(index) +
                                            ": the device has " +
                                            std::to_string(count));
    const ptx::Finding &in = (*cpu)->finding(index);
    *finding = {static_cast<ctc_finding_kind>(in.kind), in.message.c_str(),
                in.occurrences};
    return {};
  });
}
