//===- main.c - Launching a bundle from C ---------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   c-launch layer.ctcb [DEVICE [CHIP]]
//
// Loads a bundle, fills the inputs of its first entry with small integers,
// packs the weights, launches, and prints one line with a checksum of the
// output. Small integers make every sum exact, so the same bundle gives the
// same checksum on every device.
//
//===----------------------------------------------------------------------===//

#include <ctc/Runtime/ctc_runtime.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Samples of a launch when the bundle leaves the batch open. */
#define BATCH 2
#define MAX_ARGUMENTS 32

/* Everything a run holds; zeroed first, so that release can be called at any
 * time. */
typedef struct run {
  ctc_bundle *bundle;
  ctc_device *device;
  ctc_module *module;
  ctc_layer *layer;
  size_t image, entry;
  int64_t batch;
  uint64_t buffers[MAX_ARGUMENTS]; /* by argument; 0 where there is none */
  uint64_t bytes[MAX_ARGUMENTS];
} run;

/* Leaves the enclosing function with the status of a call that failed. */
#define TRY(call)                                                              \
  do {                                                                         \
    ctc_status try_status = (call);                                            \
    if (try_status != CTC_OK)                                                  \
      return try_status;                                                       \
  } while (0)

static void release(run *r) {
  for (size_t i = 0; i < MAX_ARGUMENTS; ++i)
    if (r->buffers[i])
      ctc_device_free(r->device, r->buffers[i]);
  ctc_layer_destroy(r->layer);
  ctc_module_unload(r->module);
  ctc_device_close(r->device);
  ctc_bundle_close(r->bundle);
}

/* Stores a small integer as an element of a type. f16 and bf16 hold integers up
 * to 256 exactly. */
static void store(void *at, ctc_type type, int value) {
  const float number = (float)value;
  uint32_t bits;
  uint16_t half;
  memcpy(&bits, &number, sizeof(bits));
  switch (type) {
  case CTC_F32:
    memcpy(at, &number, sizeof(number));
    return;
  case CTC_BF16: /* the upper half of an f32 */
    half = (uint16_t)(bits >> 16);
    break;
  case CTC_F16: /* 5 bits of exponent with bias 15 instead of 8 with 127 */
    half = (uint16_t)((bits >> 16) & 0x8000);
    if (value != 0)
      half |= (uint16_t)(((bits & 0x7fffffff) >> 13) - ((127 - 15) << 10));
    break;
  }
  memcpy(at, &half, sizeof(half));
}

static size_t element_bytes(ctc_type type) { return type == CTC_F32 ? 4 : 2; }

/* Allocates the buffer of one argument and fills it: small integers for what is
 * read, NaN for the output, so that an unwritten element would show. */
static ctc_status make_buffer(run *r, size_t argument) {
  ctc_argument_info info;
  TRY(ctc_bundle_get_argument(r->bundle, r->image, r->entry, argument, &info));
  if (info.role == CTC_PACKED_WEIGHT)
    return CTC_OK; /* the layer makes that one */
  const uint64_t bytes = r->bytes[argument];
  TRY(ctc_device_allocate(r->device, bytes, &r->buffers[argument]));
  if (info.role == CTC_OUTPUT || info.role == CTC_SCRATCH)
    return ctc_device_fill(r->device, r->buffers[argument], 0xff, bytes, NULL);

  unsigned char *values = malloc(bytes ? bytes : 1);
  if (!values)
    return CTC_OUT_OF_MEMORY;
  const size_t width = element_bytes(info.type);
  uint32_t state = (uint32_t)argument + 1;
  for (uint64_t at = 0; at < bytes; at += width) {
    state = state * 1664525u + 1013904223u;
    store(values + at, info.type, (int)(state >> 24) % 5 - 2);
  }
  const ctc_status status =
      ctc_device_copy_in(r->device, r->buffers[argument], values, bytes, NULL);
  free(values);
  return status;
}

/* Opens everything and makes the buffers. */
static ctc_status set_up(run *r, const char *path, const char *device,
                         const char *chip) {
  TRY(ctc_bundle_open_file(path, &r->bundle));
  TRY(ctc_device_open(device, &r->device));
  TRY(ctc_module_load(r->bundle, r->device, chip, &r->module));
  ctc_module_info module;
  TRY(ctc_module_get_info(r->module, &module));
  r->image = module.image;

  ctc_entry_info entry;
  TRY(ctc_bundle_get_entry(r->bundle, r->image, r->entry, &entry));
  r->batch = entry.batch == CTC_DYNAMIC ? BATCH : entry.batch;
  if (entry.argument_count > MAX_ARGUMENTS) {
    fprintf(stderr, "entry %s has more than %d arguments\n", entry.name,
            MAX_ARGUMENTS);
    return CTC_INVALID_ARGUMENT;
  }
  for (size_t i = 0; i < entry.argument_count; ++i) {
    TRY(ctc_bundle_argument_bytes(r->bundle, r->image, r->entry, i, r->batch,
                                  &r->bytes[i]));
    TRY(make_buffer(r, i));
  }
  return ctc_layer_create(r->module, entry.name, &r->layer);
}

/* Packs the weights and launches once. */
static ctc_status launch(run *r) {
  ctc_entry_info entry;
  TRY(ctc_bundle_get_entry(r->bundle, r->image, r->entry, &entry));
  uint64_t addresses[MAX_ARGUMENTS];
  size_t count = 0;
  uint64_t weight = 0;
  for (size_t i = 0; i < entry.argument_count; ++i) {
    ctc_argument_info info;
    TRY(ctc_bundle_get_argument(r->bundle, r->image, r->entry, i, &info));
    if (info.role == CTC_WEIGHT)
      weight = r->buffers[i];
    if (info.launch_index >= 0) {
      addresses[info.launch_index] = r->buffers[i];
      ++count;
    }
  }
  TRY(ctc_layer_prepare(r->layer, weight, 0, NULL));
  TRY(ctc_layer_launch(r->layer, r->batch, addresses, count, NULL));
  return ctc_device_synchronize(r->device, NULL);
}

/* Prints the FNV-1a checksum of the output and where it was computed. */
static ctc_status print_checksum(run *r) {
  ctc_entry_info entry;
  ctc_device_info device;
  ctc_module_info module;
  TRY(ctc_bundle_get_entry(r->bundle, r->image, r->entry, &entry));
  TRY(ctc_device_get_info(r->device, &device));
  TRY(ctc_module_get_info(r->module, &module));
  for (size_t i = 0; i < entry.argument_count; ++i) {
    ctc_argument_info info;
    TRY(ctc_bundle_get_argument(r->bundle, r->image, r->entry, i, &info));
    if (info.role != CTC_OUTPUT)
      continue;
    unsigned char *values = malloc(r->bytes[i] ? r->bytes[i] : 1);
    if (!values)
      return CTC_OUT_OF_MEMORY;
    const ctc_status status = ctc_device_copy_out(
        r->device, values, r->buffers[i], r->bytes[i], NULL);
    uint64_t checksum = UINT64_C(0xcbf29ce484222325);
    for (uint64_t at = 0; status == CTC_OK && at < r->bytes[i]; ++at)
      checksum = (checksum ^ values[at]) * UINT64_C(0x100000001b3);
    free(values);
    TRY(status);
    printf("%s: checksum %016" PRIx64 " of the %" PRIu64
           " bytes of %s, %s of %s on %s\n",
           entry.name, checksum, r->bytes[i], info.name,
           module.uses_ptx ? "PTX" : "cubin", module.chip, device.name);
  }
  return CTC_OK;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 4) {
    fprintf(stderr, "usage: %s layer.ctcb [DEVICE [CHIP]]\n", argv[0]);
    return 2;
  }
  run r;
  memset(&r, 0, sizeof(r));
  ctc_status status = set_up(&r, argv[1], argc > 2 ? argv[2] : "auto",
                             argc > 3 ? argv[3] : NULL);
  if (status == CTC_OK)
    status = launch(&r);
  if (status == CTC_OK)
    status = print_checksum(&r);
  if (status != CTC_OK)
    fprintf(stderr, "%s: %s\n", ctc_status_name(status), ctc_last_error());
  release(&r);
  return status == CTC_OK ? 0 : 1;
}
