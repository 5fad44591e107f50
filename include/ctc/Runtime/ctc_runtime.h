//===- ctc_runtime.h - Loading and launching bundles --------------*- C -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C API of libctc_runtime (C99). A bundle (.ctcb) made by `ctc compile` is
// opened, loaded onto a device as a module; a layer is one entry of a module
// together with its packed weights, and is what gets launched.
//
//   ctc_bundle_open_file -> ctc_device_open -> ctc_module_load
//     -> ctc_layer_create -> ctc_layer_prepare (once per weight)
//     -> ctc_layer_launch (as often as wanted)
//
// Errors. Functions that can fail return a ctc_status; anything but CTC_OK
// leaves the out parameters untouched, except that handles become NULL.
// ctc_last_error() has one sentence about the last failure on this thread.
//
// Ownership. Every handle is released by its own close/destroy function, in any
// order: a layer keeps its module alive, a module its bundle and its device.
// Strings and arrays in info structs belong to the handle they were asked from
// and live as long as it does. Passing NULL to close/destroy does nothing.
//
// Threads. All functions may be called from any thread. Bundles, devices and
// modules may be used from several threads at once, and so may a prepared layer
// be launched; ctc_layer_prepare and ctc_layer_use_packed need the layer for
// themselves, as does releasing any handle.
//
// Streams. `stream` is a CUstream (or cudaStream_t) of the device's primary
// context on a CUDA device, NULL its legacy default stream. The cpu device
// ignores it and has finished when a call returns.
//
// Addresses are device addresses as 64-bit integers: what cuMemAlloc,
// cudaMalloc or torch's data_ptr() return on a CUDA device, what
// ctc_device_allocate returns on any. Buffers are dense, in the memory order of
// their shape, and aligned to CTC_ALIGNMENT bytes. All sizes are in bytes
// unless said otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_RUNTIME_CTC_RUNTIME_H
#define CTC_RUNTIME_CTC_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CTC_API __attribute__((visibility("default")))
#else
#define CTC_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Alignment every buffer of a layer must have, in bytes. */
#define CTC_ALIGNMENT 16
/* Stands for a size that is the batch and known only at launch. */
#define CTC_DYNAMIC INT64_MIN

/* -- Status ---------------------------------------------------------------- */

/* The exit code `ctc` turns a status into stands in brackets. */
typedef enum ctc_status {
  CTC_OK = 0,
  CTC_INVALID_ARGUMENT = 1, /* a value the caller gave is not legal [2] */
  CTC_FILE_ERROR = 2,       /* a file cannot be read [2] */
  CTC_INVALID_BUNDLE = 3,   /* truncated, altered or inconsistent [5] */
  CTC_NO_DEVICE = 4,        /* the device asked for does not exist here [4] */
  CTC_NO_IMAGE = 5,         /* nothing in the bundle runs on the device [5] */
  CTC_NOT_PREPARED = 6,     /* the layer has no packed weights yet [5] */
  CTC_OUT_OF_MEMORY = 7,    /* the device has not that much memory free [5] */
  CTC_DEVICE_ERROR = 8      /* the device failed or reported a fault [5] */
} ctc_status;

/* "CTC_NO_DEVICE"; "unknown status" for other values. */
CTC_API const char *ctc_status_name(ctc_status status);
/* The sentence about the last failure on this thread, "" when there was none.
 * Valid until the next call of this library on this thread. */
CTC_API const char *ctc_last_error(void);
/* "0.1.0" */
CTC_API const char *ctc_version(void);

/* -- Handles --------------------------------------------------------------- */

typedef struct ctc_bundle ctc_bundle; /* a checked bundle in host memory */
typedef struct ctc_device ctc_device; /* a GPU, or the PTX machine */
typedef struct ctc_module ctc_module; /* a bundle loaded onto a device */
typedef struct ctc_layer ctc_layer;   /* an entry with its packed weights */

/* -- Bundles --------------------------------------------------------------- */

/* Reads and checks a bundle: magic, version, length, digest, contents.
 * CTC_FILE_ERROR when the file cannot be read, CTC_INVALID_BUNDLE when it is
 * not a sound bundle. */
CTC_API ctc_status ctc_bundle_open_file(const char *path, ctc_bundle **bundle);
/* The same from memory; the bytes are copied. */
CTC_API ctc_status ctc_bundle_open_memory(const void *data, size_t size,
                                          ctc_bundle **bundle);
CTC_API void ctc_bundle_close(ctc_bundle *bundle);

typedef enum ctc_type { CTC_F32 = 0, CTC_F16 = 1, CTC_BF16 = 2 } ctc_type;

/* What a buffer means to an entry. */
typedef enum ctc_role {
  CTC_INPUT = 0,
  CTC_WEIGHT = 1,        /* as the user has it: see ctc_weight_layout */
  CTC_PACKED_WEIGHT = 2, /* held by the layer */
  CTC_BIAS = 3,
  CTC_OPERAND = 4, /* an extra operand of the epilogue */
  CTC_OUTPUT = 5,
  CTC_SCRATCH = 6 /* written and read by a launch; owned by the caller */
} ctc_role;

typedef enum ctc_layout {
  CTC_CHANNELS_FIRST = 0, /* N, C, spatial */
  CTC_CHANNELS_LAST = 1   /* N, spatial, C */
} ctc_layout;

typedef enum ctc_weight_layout {
  CTC_INPUT_OUTPUT_KERNEL = 0, /* Cin, Cout/groups, kernel */
  CTC_OUTPUT_KERNEL_INPUT = 1  /* Cout/groups, kernel, Cin */
} ctc_weight_layout;

typedef enum ctc_precision {
  CTC_TF32 = 0,
  CTC_TF32X3 = 1,
  CTC_IEEE = 2
} ctc_precision;

/* One image per chip. Every image has entries of its own, because another chip
 * may get another kernel: names, problems and all arguments but packed weight
 * and scratch are the same in all. */
typedef struct ctc_bundle_info {
  const char *producer; /* "ctc 0.1.0 (LLVM 22.1.8)" */
  size_t image_count;   /* at least 1 */
  size_t entry_count;   /* of each image */
} ctc_bundle_info;

/* One spatial dimension: O = (I-1)*stride - pad_low - pad_high
 *                            + dilation*(kernel-1) + output_padding + 1. */
typedef struct ctc_dimension {
  int64_t input, kernel, stride, dilation;
  int64_t pad_low, pad_high, output_padding;
  int64_t output;
} ctc_dimension;

typedef struct ctc_entry_info {
  const char *name;
  int64_t batch; /* CTC_DYNAMIC when given at launch */
  int64_t input_channels, output_channels, groups;
  size_t rank;                     /* spatial dimensions, 1 to 3 */
  const ctc_dimension *dimensions; /* outermost first */
  ctc_type type;
  ctc_layout layout;
  ctc_weight_layout weight_layout;
  ctc_precision precision;
  int has_bias;
  size_t argument_count;
  size_t prepare_count;      /* launches, once per weight */
  size_t run_count;          /* launches per call; 0 for an empty output */
  const char *family;        /* "simt", ... */
  const char *kernel;        /* the #ctc.kernel attribute as text */
  const char *choice_source; /* "explicit", "table" or "heuristic" */
  const char *choice_reason; /* one sentence */
  /* Work issued over useful work; the sums are per sample when the
   * batch is dynamic. Bytes: x, w and y once, and what blocks request. */
  double useful_macs, least_bytes, requested_bytes;
  double holes_factor, border_factor, tile_factor;
} ctc_entry_info;

typedef struct ctc_argument_info {
  const char *name;
  ctc_role role;
  ctc_type type;
  size_t rank;
  const int64_t *shape; /* in elements; CTC_DYNAMIC where it is the batch */
  /* Where the buffer stands in the addresses given to ctc_layer_launch; -1 for
   * the weight and the packed weight, which ctc_layer_prepare takes. */
  int32_t launch_index;
} ctc_argument_info;

/* One kernel launch: blocks_per_tile * ceil(batch / batch_tile) blocks, or just
 * blocks_per_tile when batch_tile is 0; none for a batch of 0. */
typedef struct ctc_launch_info {
  const char *kernel;
  int64_t blocks_per_tile, batch_tile;
  uint32_t block[3]; /* threads */
  uint32_t dynamic_shared_bytes;
  int passes_batch;
  int programmatic; /* launched while the grids before it in the stream still
                     * run, which the kernel itself waits for */
} ctc_launch_info;

typedef struct ctc_image_info {
  const char *chip; /* "sm_90a" */
  const char *ptx;  /* NUL-terminated; ptx_bytes without the NUL */
  size_t ptx_bytes;
  const void *cubin;
  size_t cubin_bytes;
  const char *assembler; /* "ptxas 13.0.88" */
  size_t resource_count; /* kernels ptxas reported on */
} ctc_image_info;

/* ptxas's report on one kernel of one image, per thread except shared memory.
 */
typedef struct ctc_resource_info {
  const char *kernel;
  uint32_t registers;
  uint32_t spill_store_bytes, spill_load_bytes, stack_bytes;
  uint32_t static_shared_bytes;
  size_t warning_count;
  const char *const *warnings;
} ctc_resource_info;

CTC_API ctc_status ctc_bundle_get_info(const ctc_bundle *bundle,
                                       ctc_bundle_info *info);
CTC_API ctc_status ctc_bundle_get_image(const ctc_bundle *bundle, size_t image,
                                        ctc_image_info *info);
CTC_API ctc_status ctc_bundle_get_resource(const ctc_bundle *bundle,
                                           size_t image, size_t resource,
                                           ctc_resource_info *info);
/* The index of the image of a chip ("sm_80"). */
CTC_API ctc_status ctc_bundle_find_image(const ctc_bundle *bundle,
                                         const char *chip, size_t *image);
/* The index of the entry of that name, the same in every image. */
CTC_API ctc_status ctc_bundle_find_entry(const ctc_bundle *bundle,
                                         const char *name, size_t *entry);
CTC_API ctc_status ctc_bundle_get_entry(const ctc_bundle *bundle, size_t image,
                                        size_t entry, ctc_entry_info *info);
CTC_API ctc_status ctc_bundle_get_argument(const ctc_bundle *bundle,
                                           size_t image, size_t entry,
                                           size_t argument,
                                           ctc_argument_info *info);
/* Bytes of an argument for a batch. `batch` must be what the entry was compiled
 * for, or any number >= 0 when that is CTC_DYNAMIC. */
CTC_API ctc_status ctc_bundle_argument_bytes(const ctc_bundle *bundle,
                                             size_t image, size_t entry,
                                             size_t argument, int64_t batch,
                                             uint64_t *bytes);
CTC_API ctc_status ctc_bundle_get_prepare_launch(const ctc_bundle *bundle,
                                                 size_t image, size_t entry,
                                                 size_t launch,
                                                 ctc_launch_info *info);
CTC_API ctc_status ctc_bundle_get_run_launch(const ctc_bundle *bundle,
                                             size_t image, size_t entry,
                                             size_t launch,
                                             ctc_launch_info *info);
/* Blocks of a run launch for a batch. */
CTC_API ctc_status ctc_bundle_run_blocks(const ctc_bundle *bundle, size_t image,
                                         size_t entry, size_t launch,
                                         int64_t batch, uint64_t *blocks);

/* -- Devices --------------------------------------------------------------- */

typedef enum ctc_device_kind {
  CTC_DEVICE_CUDA = 0, /* a GPU, through the CUDA driver */
  CTC_DEVICE_CPU = 1   /* the PTX machine */
} ctc_device_kind;

typedef struct ctc_device_info {
  ctc_device_kind kind;
  const char *name; /* "NVIDIA H200", "PTX machine" */
  int ordinal;      /* CUDA device number; 0 on the cpu device */
  int compute_major, compute_minor; /* 0.0 on the cpu device */
  /* Why "auto" took this device, one sentence; "" when asked for by name. */
  const char *reason;
} ctc_device_info;

/* Opens "cuda" (device 0), "cuda:ORDINAL", "cpu", or "auto": cuda when there is
 * one, else cpu. CTC_NO_DEVICE when there is no driver or no such GPU. */
CTC_API ctc_status ctc_device_open(const char *name, ctc_device **device);
CTC_API void ctc_device_close(ctc_device *device);
CTC_API ctc_status ctc_device_get_info(const ctc_device *device,
                                       ctc_device_info *info);

/* Memory, aligned to 256 bytes; a size of 0 gives an address, too. On the cpu
 * device pages are committed when first touched. */
CTC_API ctc_status ctc_device_allocate(ctc_device *device, uint64_t bytes,
                                       uint64_t *address);
CTC_API ctc_status ctc_device_free(ctc_device *device, uint64_t address);
/* Copies ordered after the work on `stream`, complete on return. */
CTC_API ctc_status ctc_device_copy_in(ctc_device *device, uint64_t destination,
                                      const void *source, uint64_t bytes,
                                      void *stream);
CTC_API ctc_status ctc_device_copy_out(ctc_device *device, void *destination,
                                       uint64_t source, uint64_t bytes,
                                       void *stream);
/* Sets every byte, in the order of `stream`. 0xff makes NaNs of all types. */
CTC_API ctc_status ctc_device_fill(ctc_device *device, uint64_t destination,
                                   uint8_t value, uint64_t bytes, void *stream);
/* Waits for the work on `stream`. CTC_DEVICE_ERROR when some of it failed. */
CTC_API ctc_status ctc_device_synchronize(ctc_device *device, void *stream);

/* -- Modules --------------------------------------------------------------- */

/* Loads the image of the bundle that suits the device. On a GPU a cubin of its
 * major and at most its minor version (an `a` chip only its own), else PTX for
 * a chip not newer than it, else CTC_NO_IMAGE. The cpu device executes the PTX
 * of the first image. `chip` names the image to take instead ("sm_80"); NULL
 * leaves the choice to the library. */
CTC_API ctc_status ctc_module_load(const ctc_bundle *bundle, ctc_device *device,
                                   const char *chip, ctc_module **module);
CTC_API void ctc_module_unload(ctc_module *module);

typedef struct ctc_module_info {
  size_t image; /* the image that was loaded, as ctc_bundle_get_image counts */
  const char *chip; /* its chip: "sm_80" */
  int uses_ptx;     /* 0: its cubin; 1: its PTX, by the driver or PTX machine */
} ctc_module_info;

CTC_API ctc_status ctc_module_get_info(const ctc_module *module,
                                       ctc_module_info *info);

/* -- Layers ---------------------------------------------------------------- */

/* A layer of the entry of that name; NULL takes the only entry. */
CTC_API ctc_status ctc_layer_create(ctc_module *module, const char *entry,
                                    ctc_layer **layer);
CTC_API void ctc_layer_destroy(ctc_layer *layer);
/* The index of the layer's entry, as ctc_bundle_get_entry counts. */
CTC_API ctc_status ctc_layer_get_entry(const ctc_layer *layer, size_t *entry);

/* Bytes of the packed weights. */
CTC_API ctc_status ctc_layer_packed_bytes(const ctc_layer *layer,
                                          uint64_t *bytes);
/* Packs the weight at address `weight`, in the order of `stream`. The weight
 * may be released once that work is done. `packed` is a buffer of the caller of
 * at least ctc_layer_packed_bytes that must outlive the layer's launches; 0
 * lets the layer allocate one that it owns. May be called again for new
 * weights. */
CTC_API ctc_status ctc_layer_prepare(ctc_layer *layer, uint64_t weight,
                                     uint64_t packed, void *stream);
/* Uses weights packed before, by this entry and chip of this bundle. */
CTC_API ctc_status ctc_layer_use_packed(ctc_layer *layer, uint64_t packed);
/* The address of the packed weights, 0 before they are prepared. */
CTC_API ctc_status ctc_layer_get_packed(const ctc_layer *layer,
                                        uint64_t *packed);

/* Enqueues the entry on `stream`. `addresses` holds the entry's arguments in
 * their order, without weight and packed weight (ctc_argument_info's
 * launch_index). `batch` is N: what the entry was compiled for, or any number
 * >= 0 when that is CTC_DYNAMIC. An empty output launches nothing. Neither
 * allocates device memory nor synchronizes, so it can be captured in a graph.
 * Only an argument of 0 bytes may have the address 0. */
CTC_API ctc_status ctc_layer_launch(const ctc_layer *layer, int64_t batch,
                                    const uint64_t *addresses,
                                    size_t address_count, void *stream);

/* -- Extensions of the cpu device ------------------------------------------ */

typedef struct ctc_cpu_statistics {
  uint64_t blocks;
  uint64_t warp_instructions;   /* issued, whatever the active lanes */
  uint64_t thread_instructions; /* issued, counting active lanes */
} ctc_cpu_statistics;

/* What was executed since the device was opened. CTC_INVALID_ARGUMENT on other
 * devices, as for the functions below. */
CTC_API ctc_status ctc_cpu_get_statistics(const ctc_device *device,
                                          ctc_cpu_statistics *statistics);
/* Host threads that execute blocks; 0, the default, means one per core. */
CTC_API ctc_status ctc_cpu_set_threads(ctc_device *device, unsigned threads);
/* Executes only the listed blocks of run launch number `launch`: single blocks
 * of a grid too large to run as a whole. */
CTC_API ctc_status ctc_cpu_launch_blocks(const ctc_layer *layer, size_t launch,
                                         int64_t batch,
                                         const uint64_t *addresses,
                                         size_t address_count,
                                         const uint64_t *blocks,
                                         size_t block_count);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* CTC_RUNTIME_CTC_RUNTIME_H */
