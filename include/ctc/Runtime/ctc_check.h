//===- ctc_check.h - Races and other misuse of memory -------------*- C -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An extension of the cpu device (C99): it executes launches and watches what
// they do to memory. docs/PtxMachine.md, "The checker", says what it finds and
// what it does not. CTC_INVALID_ARGUMENT on other devices.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_RUNTIME_CTC_CHECK_H
#define CTC_RUNTIME_CTC_CHECK_H

#include "ctc/Runtime/ctc_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether launches of the device are checked from now on, 0 at first; they take
 * up to ten times as long. They run to their end and succeed whatever is
 * found. While this is on, memory that is allocated holds bytes of 0xff, and is
 * uninitialised until it is copied to, filled or stored to by a launch. */
CTC_API ctc_status ctc_cpu_check_memory(ctc_device *device, int enable);

typedef enum ctc_finding_kind {
  CTC_RACE = 0,                /* accesses of shared memory without order */
  CTC_MISSING_PROXY_FENCE = 1, /* ordered, not for the asynchronous proxy */
  CTC_UNINITIALIZED_READ = 2,  /* of shared or global memory */
  CTC_MBARRIER_MISUSE = 3,     /* of an mbarrier object */
  CTC_UNFINISHED = 4, /* a block ends before its asynchronous operations */
  CTC_CLUSTER_LIFETIME = 5, /* access to a block that may not run */
  CTC_MATRIX_REGISTER = 6   /* a register that a wgmma uses */
} ctc_finding_kind;

/* "race", "missing proxy fence", ...; "unknown" for other values. */
CTC_API const char *ctc_finding_kind_name(ctc_finding_kind kind);

/* Found in a launch since checking was turned on: one for each kind and pair of
 * instructions of a kernel. */
typedef struct ctc_finding {
  ctc_finding_kind kind;
  /* One sentence with kernel, block, thread, PTX line and instruction of the
   * first time, and of what it conflicts with. Valid as long as the device. */
  const char *message;
  uint64_t occurrences; /* how often a warp executed the instruction so */
} ctc_finding;

CTC_API ctc_status ctc_cpu_finding_count(const ctc_device *device,
                                         size_t *count);
CTC_API ctc_status ctc_cpu_get_finding(const ctc_device *device, size_t index,
                                       ctc_finding *finding);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CTC_RUNTIME_CTC_CHECK_H */
