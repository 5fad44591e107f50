//===- main.c - A layer built into a program ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   c-embed [DEVICE]
//
// Runs the up-scaling layer that the compiler wrote into upscale.c, on samples
// of ones: 16 channels of 8 x 8 become 8 channels of 16 x 16, and with all
// weights 1 and a bias of 0.5 every output is 16.5.
//
//===----------------------------------------------------------------------===//

#include "upscale.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH 2
#define EXPECTED 16.5f

/* Leaves the enclosing function with the status of a call that failed. */
#define TRY(call)                                                              \
  do {                                                                         \
    ctc_status try_status = (call);                                            \
    if (try_status != CTC_OK)                                                  \
      return try_status;                                                       \
  } while (0)

/* A buffer of the device, every float of it `value`. */
static ctc_status make(ctc_device *device, uint64_t bytes, float value,
                       uint64_t *address) {
  TRY(ctc_device_allocate(device, bytes, address));
  float *values = malloc(bytes);
  if (!values)
    return CTC_OUT_OF_MEMORY;
  for (size_t i = 0; i < bytes / sizeof(float); ++i)
    values[i] = value;
  const ctc_status status =
      ctc_device_copy_in(device, *address, values, bytes, NULL);
  free(values);
  return status;
}

/* Runs the layer once and prints how many outputs are as expected. The
 * buffers end with the process. */
static ctc_status run(upscale_layer *layer, int *wrong) {
  ctc_device *device = upscale_device(layer);
  const uint64_t bytes = UPSCALE_OUTPUT_BYTES(BATCH);
  uint64_t input, weight, bias, output;
  TRY(make(device, UPSCALE_INPUT_BYTES(BATCH), 1.0f, &input));
  TRY(make(device, UPSCALE_WEIGHT_BYTES, 1.0f, &weight));
  TRY(make(device, UPSCALE_BIAS_BYTES, 0.5f, &bias));
  TRY(make(device, bytes, -1.0f, &output));

  TRY(upscale_prepare(layer, weight, NULL));
  TRY(upscale_launch(layer, BATCH, input, bias, output, NULL));

  const size_t count = bytes / sizeof(float);
  float *values = malloc(bytes);
  if (!values)
    return CTC_OUT_OF_MEMORY;
  const ctc_status status =
      ctc_device_copy_out(device, values, output, bytes, NULL);
  for (size_t i = 0; status == CTC_OK && i < count; ++i)
    *wrong += values[i] != EXPECTED;
  free(values);
  if (status == CTC_OK)
    printf("%zu of %zu outputs are %g\n", count - (size_t)*wrong, count,
           EXPECTED);
  return status;
}

int main(int argc, char **argv) {
  upscale_layer *layer;
  int wrong = 0;
  ctc_status status = upscale_load(argc > 1 ? argv[1] : "auto", &layer);
  if (status == CTC_OK)
    status = run(layer, &wrong);
  if (status != CTC_OK)
    fprintf(stderr, "%s: %s\n", ctc_status_name(status), ctc_last_error());
  upscale_unload(layer);
  return status == CTC_OK && wrong == 0 ? 0 : 1;
}
