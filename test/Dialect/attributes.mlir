// RUN: ctc-opt %s --allow-unregistered-dialect | ctc-opt --allow-unregistered-dialect | FileCheck %s

// CHECK: module attributes {ctc.target = #ctc.target<"sm_90a">}
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // CHECK: kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 32], phases = [1, 1], taps = [2, 2], chunk_channels = 8, workers = [16, 8], worker_tile = [8, 8], stages = 2, source = table>
  "test.kernel"() {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1,
    box = [4, 32], phases = [1, 1], taps = [2, 2], chunk_channels = 8, workers = [16, 8],
    worker_tile = [8, 8], stages = 2, source = table>} : () -> ()

  // One group a block is not printed.
  // CHECK: kernel = #ctc.kernel<{{.*}}, source = table, groups = 16>
  // CHECK: kernel = #ctc.kernel<{{.*}}, source = table>}
  "test.groups"() {kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [32], phases = [1], taps = [2],
    chunk_channels = 1, workers = [8, 8], worker_tile = [8, 4], stages = 1, source = table, groups = 16>} : () -> ()
  "test.group"() {kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [32], phases = [1], taps = [2],
    chunk_channels = 1, workers = [8, 8], worker_tile = [8, 4], stages = 1, source = table, groups = 1>} : () -> ()
  // A split of 1 is not printed.
  // CHECK: kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16, workers = [1, 1], worker_tile = [16, 16], stages = 2, source = explicit, split = 2>
  "test.kernel"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
    workers = [1, 1], worker_tile = [16, 16], stages = 2, split = 2, source = explicit>} : () -> ()
  // CHECK: worker_tile = [16, 16], stages = 2, source = explicit>
  "test.kernel"() {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
    workers = [1, 1], worker_tile = [16, 16], stages = 2, split = 1, source = explicit>} : () -> ()

  // CHECK: layouts = [#ctc.layout<channels_first>, #ctc.layout<channels_last>]
  "test.layouts"() {layouts = [#ctc.layout<channels_first>, #ctc.layout<channels_last>]} : () -> ()

  // CHECK: layouts = [#ctc.weight_layout<input_output_kernel>, #ctc.weight_layout<output_kernel_input>]
  "test.weight_layouts"() {layouts = [#ctc.weight_layout<input_output_kernel>, #ctc.weight_layout<output_kernel_input>]} : () -> ()

  // CHECK: precisions = [#ctc.precision<tf32>, #ctc.precision<tf32x3>, #ctc.precision<ieee>]
  "test.precisions"() {precisions = [#ctc.precision<tf32>, #ctc.precision<tf32x3>, #ctc.precision<ieee>]} : () -> ()
}
