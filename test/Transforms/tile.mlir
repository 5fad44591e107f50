// One launchable body for all phases: a block finds its phase in a table, so the code does not grow with the stride.
// RUN: ctc-opt %s --ctc-tile --canonicalize --cse --split-input-file | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// Input 40, kernel 3, stride 2, padding (1, 0): 80 outputs, 40 of each residue. Two phases times two boxes times two
// channel tiles are eight blocks for each of the two samples. A row of the table: positions, taps, first slot, offset of
// the first input, first output.
// CHECK-LABEL: func.func @layer(
// CHECK: ctc.launch @ctc_kernels::@layer(%{{.*}}) {batch_tile = 1 : i64, block_size = 32 : i64, blocks_per_tile = 8 : i64}
// CHECK: gpu.module @ctc_kernels
// CHECK: memref.global "private" constant @layer_phases0
// CHECK-SAME: dense<{{\[}}[40, 2, 0, {{-?[0-9]+}}, {{[0-9]+}}], [40, 1, 2, {{-?[0-9]+}}, {{[0-9]+}}]]>
// CHECK: gpu.func @layer(
// CHECK-SAME: kernel attributes {{.*}}known_block_size = array<i32: 32, 1, 1>
// CHECK: %[[TABLE:.*]] = memref.get_global @layer_phases0
// CHECK: memref.load %[[TABLE]]
// CHECK: scf.for
// CHECK: %[[PATCH:.*]] = ctc.load_patch
// CHECK-SAME: vector<4x1x33xf32>
// CHECK: %[[WEIGHTS:.*]] = ctc.load_weights
// CHECK-SAME: vector<2x4x4xf32>
// CHECK: ctc.contract %[[PATCH]], %[[WEIGHTS]]
// CHECK: ctc.store_tile
// CHECK-NOT: ctc.store_tile
func.func @layer(%x: memref<2x6x40xf32>, %p: memref<1x2x3x8x4xf32>, %y: memref<2x5x80xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<2x6x40xf32>, memref<1x2x3x8x4xf32>) outs(%y : memref<2x5x80xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, kernel = #kernel, packed}
  return
}

// -----

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// Stride 1024: a longer table, the same one body. The batch is an argument.
// CHECK-LABEL: func.func @vocoder(
// CHECK: ctc.launch @ctc_kernels::@vocoder{{.*}}passes_batch
// CHECK: memref.global "private" constant @vocoder_phases0 : memref<1024x5xi64
// CHECK: gpu.func @vocoder(
// CHECK-COUNT-1: ctc.contract
// CHECK-NOT: ctc.contract
func.func @vocoder(%x: memref<?x2x3xf16>, %p: memref<1x1x4096x4x4xf16>, %y: memref<?x2x6144xf16>) {
  ctc.conv_transpose ins(%x, %p : memref<?x2x3xf16>, memref<1x1x4096x4x4xf16>) outs(%y : memref<?x2x6144xf16>)
    {stride = array<i64: 1024>, kernel = #kernel, packed}
  return
}

// -----

#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [2], taps = [4], chunk_channels = 1,
                      workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

// Depthwise, channels last: a block takes 8 of the 12 groups, so that two blocks serve each sample. Its channels begin at a
// multiple of 8 and end with the layer's; the patch has one channel for each group.
// CHECK-LABEL: func.func @groups(
// CHECK: ctc.launch @ctc_kernels::@groups{{.*}} {batch_tile = 1 : i64, block_size = 32 : i64, blocks_per_tile = 2 : i64}
// CHECK: gpu.func @groups(
// CHECK: %[[CHANNEL:.*]] = arith.muli %{{.*}}, %c8 : index
// CHECK: ctc.load_patch {{.*}} channel %[[CHANNEL]] to %c12 {{.*}}group_channels = 12 : i64
// CHECK-SAME: vector<8x1x18xf32>
// CHECK: ctc.load_weights
// CHECK-SAME: vector<4x1x8xf32>
// CHECK: ctc.store_tile {{.*}} channel %[[CHANNEL]] to %c12 {{.*}}group_channels = 12 : i64
func.func @groups(%x: memref<2x16x12xf32>, %p: memref<2x1x4x1x8xf32>, %y: memref<2x32x12xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<2x16x12xf32>, memref<2x1x4x1x8xf32>) outs(%y : memref<2x32x12xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, groups = 12 : i64,
     layout = #ctc.layout<channels_last>, precision = #ctc.precision<ieee>, kernel = #kernel, packed}
  return
}
