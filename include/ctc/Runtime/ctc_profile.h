//===- ctc_profile.h - What a launch does, counted ----------------*- C -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An extension of the cpu device (C99): it executes a launch and counts what
// it does, instruction by instruction and buffer by buffer. docs/Profile.md
// says how everything is counted. A profile is released by its own function;
// strings in info structs live as long as it does.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_RUNTIME_CTC_PROFILE_H
#define CTC_RUNTIME_CTC_PROFILE_H

#include "ctc/Runtime/ctc_runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ctc_profile ctc_profile; /* what one launch did */

/* Executes run launch number `launch` of the layer's entry as ctc_layer_launch
 * does, and counts, which takes two to three times as long. With a
 * `block_count` other than 0 only the listed blocks are executed, and all
 * others of their clusters. The counts do not depend on the host's threads.
 * CTC_INVALID_ARGUMENT on other devices, and if the entry has no such launch or
 * the launch no such block. */
CTC_API ctc_status ctc_cpu_profile_launch(
    const ctc_layer *layer, size_t launch, int64_t batch,
    const uint64_t *addresses, size_t address_count, const uint64_t *blocks,
    size_t block_count, ctc_profile **profile);
CTC_API void ctc_profile_close(ctc_profile *profile);

typedef struct ctc_profile_info {
  const char *kernel;
  uint64_t grid_blocks; /* of the launch */
  uint64_t blocks;      /* of these, that were executed */
  uint64_t warp_instructions, thread_instructions;
  uint32_t threads_per_block, cluster_blocks;
  uint32_t shared_bytes;    /* of a block, static and dynamic */
  size_t instruction_count; /* PTX instructions, in the order of the text */
  size_t buffer_count;      /* allocations that were accessed, by address */
} ctc_profile_info;

/* Who does multiply-adds; 16 and 8 are the bits of the factors. */
typedef enum ctc_multiply_unit {
  CTC_MULTIPLY_NONE = 0,
  CTC_MULTIPLY_FP32 = 1,
  CTC_MULTIPLY_FP16 = 2,
  CTC_MULTIPLY_FP64 = 3,
  CTC_MULTIPLY_INTEGER = 4,
  CTC_MULTIPLY_MMA_FP64 = 5,
  CTC_MULTIPLY_MMA_TF32 = 6,
  CTC_MULTIPLY_MMA_16 = 7,
  CTC_MULTIPLY_MMA_8 = 8,
  CTC_MULTIPLY_WGMMA_TF32 = 9,
  CTC_MULTIPLY_WGMMA_16 = 10,
  CTC_MULTIPLY_WGMMA_8 = 11
} ctc_multiply_unit;
/* "fp32", "mma tf32", ...; "unknown" for other values. */
CTC_API const char *ctc_multiply_unit_name(ctc_multiply_unit unit);

/* Machine instructions by pipe that a PTX instruction becomes, an estimate. */
typedef struct ctc_pipe_use {
  uint8_t fp32, integer, fp16, fp64, special, memory, other;
} ctc_pipe_use;

/* Requests are memory instructions of one warp with an active lane; bytes those
 * its lanes ask for. Units are 32-byte sectors of global and local memory, and
 * wavefronts of shared memory; least_units the fewest its different bytes could
 * take. */
typedef struct ctc_traffic {
  uint64_t requests, bytes, units, least_units;
} ctc_traffic;

typedef struct ctc_instruction_info {
  uint32_t line;    /* of the PTX, from 1 */
  const char *text; /* as written, white space folded */
  const char *kind; /* "fp32", "shared load", ... */
  ctc_multiply_unit unit;
  ctc_pipe_use pipes; /* of one warp */
  uint64_t warps;     /* that came to it */
  uint64_t threads;   /* their active lanes, before the guard */
  uint64_t multiply_adds;
  ctc_traffic global, local, shared;
} ctc_instruction_info;

/* Sectors of 32 bytes of one allocation. */
typedef struct ctc_buffer_info {
  uint64_t address, bytes;
  uint64_t loaded_sectors; /* by all requests */
  /* with a first level that keeps what a block loads while the block runs */
  uint64_t block_loaded_sectors;
  uint64_t stored_sectors;
  uint64_t distinct_loaded_sectors, distinct_stored_sectors; /* by the launch */
} ctc_buffer_info;

CTC_API ctc_status ctc_profile_get_info(const ctc_profile *profile,
                                        ctc_profile_info *info);
CTC_API ctc_status ctc_profile_get_instruction(const ctc_profile *profile,
                                               size_t instruction,
                                               ctc_instruction_info *info);
CTC_API ctc_status ctc_profile_get_buffer(const ctc_profile *profile,
                                          size_t buffer, ctc_buffer_info *info);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CTC_RUNTIME_CTC_PROFILE_H */
