// The same body as every family: one loop over chunks of the reduction, tile-level operations, one store for all phases.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --canonicalize --cse --split-input-file | FileCheck %s

#grouped = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [2], taps = [3], chunk_channels = 8,
                       workers = [1, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>

// Phases of two taps and of one, in one block: the halo is the box and a window of one, all three taps' weights are loaded, and tap by tap it
// says which phase it belongs to and at what shift it reads. 41 outputs are two boxes of 16 positions by two phases.
// CHECK-LABEL: func.func @grouped(
// CHECK: ctc.launch @ctc_kernels::@grouped({{.*}}) {batch_tile = 1 : i64, block_size = 32 : i64, blocks_per_tile = 2 : i64, dynamic_shared = {{[0-9]+}} : i64}
// CHECK: gpu.func @grouped(
// CHECK: scf.for {{.*}} -> (vector<16x32xf32>) {
// CHECK: %[[PATCH:.*]] = ctc.load_patch {{.*}} round_tf32} : {{.*}} -> vector<8x1x17xf32>
// CHECK: %[[WEIGHTS:.*]] = ctc.load_weights {{.*}} slot(%c0) count(%c3) : {{.*}} -> vector<3x8x16xf32>
// CHECK: ctc.contract %[[PATCH]], %[[WEIGHTS]], {{.*}} count(%c3) {halo = array<i64: 17>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 1, 0, 0, 1, 1>]}
// CHECK-NOT: ctc.contract
// CHECK: ctc.store_tile {{.*}} phases = array<i64: 2>, stride = array<i64: 2>}
// CHECK-NOT: ctc.store_tile
func.func @grouped(%x: tensor<1x16x20xf32>, %w: tensor<16x16x3xf32>, %y: tensor<1x16x41xf32>) -> tensor<1x16x41xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x20xf32>, tensor<16x16x3xf32>) outs(%y : tensor<1x16x41xf32>)
         {stride = array<i64: 2>, kernel = #grouped} -> tensor<1x16x41xf32>
  return %0 : tensor<1x16x41xf32>
}

// -----

#split = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [2, 8], phases = [1, 1], taps = [2, 2], chunk_channels = 8,
                     workers = [1, 1], worker_tile = [16, 8], stages = 2, clip = false, source = explicit>

// Without clipping, phases of as many taps walk a constant number of them. tf32x3 rounds nothing on the way in.
// CHECK-LABEL: func.func @split(
// CHECK: gpu.func @split(
// CHECK: ctc.load_patch
// CHECK-NOT: round_tf32
// CHECK: ctc.load_weights {{.*}} count(%c2, %c2)
// CHECK: ctc.contract {{.*}} count(%c2, %c2) {halo = array<i64: 3, 9>, input_step = array<i64: 1, 1>, split_tf32}
// CHECK: ctc.store_tile
// CHECK-NOT: phases =
func.func @split(%x: tensor<1x6x8x8xf32>, %w: tensor<8x8x4x4xf32>, %y: tensor<1x14x18x8xf32>) -> tensor<1x14x18x8xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x6x8x8xf32>, tensor<8x8x4x4xf32>) outs(%y : tensor<1x14x18x8xf32>)
         {stride = array<i64: 2, 2>, layout = #ctc.layout<channels_last>, precision = #ctc.precision<tf32x3>, kernel = #split} -> tensor<1x14x18x8xf32>
  return %0 : tensor<1x14x18x8xf32>
}
