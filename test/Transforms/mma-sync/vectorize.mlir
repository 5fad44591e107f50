// Accumulators are fragments of 16 x 8, contractions matrix instructions over 8 words of the reduction.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s

#single = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 8,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>
#word16 = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>
#grouped = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [2], taps = [4], chunk_channels = 8,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>
#last = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>

// A tap of 8 channels by 16 positions is two instructions; both taps of a phase stand in the code. Lanes load one word of positions and
// four of weights, the registers of 16 channels.
// CHECK-LABEL: gpu.func @tf32(
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>) {
// CHECK-COUNT-4: vector.load {{.*}} {alignment = 4 : i64} : {{.*}}, vector<1xf32>
// CHECK: vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-COUNT-4: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<tf32>, multiplicandBPtxType = #nvvm.mma_type<tf32>, shape = #nvvm.shape<m = 16, n = 8, k = 8>}
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
func.func @tf32(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, kernel = #single} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// Three instructions a product: high by low, low by high, and the largest last.
// CHECK-LABEL: gpu.func @tf32x3(
// CHECK: nvvm.convert.float.to.tf32
// CHECK: arith.subf
// CHECK: nvvm.convert.float.to.tf32
// CHECK-COUNT-12: nvvm.mma.sync {{.*}} k = 8>}
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
func.func @tf32x3(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, precision = #ctc.precision<tf32x3>, kernel = #single} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// CHECK-LABEL: gpu.func @f16(
// CHECK: vector.load {{.*}} {alignment = 4 : i64} : {{.*}}, vector<2xf16>
// CHECK-COUNT-4: nvvm.mma.sync {{.*}} shape = #nvvm.shape<m = 16, n = 8, k = 16>} : (vector<2xf16>, vector<2xf16>, f32)
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
func.func @f16(%x: tensor<1x32x24xf16>, %w: tensor<32x16x4xf16>, %y: tensor<1x16x50xf16>) -> tensor<1x16x50xf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x24xf16>, tensor<32x16x4xf16>) outs(%y : tensor<1x16x50xf16>)
         {stride = array<i64: 2>, kernel = #word16} -> tensor<1x16x50xf16>
  return %0 : tensor<1x16x50xf16>
}

// CHECK-LABEL: gpu.func @bf16(
// CHECK-COUNT-4: nvvm.mma.sync {{.*}} multiplicandAPtxType = #nvvm.mma_type<bf16>, multiplicandBPtxType = #nvvm.mma_type<bf16>, shape = #nvvm.shape<m = 16, n = 8, k = 16>}
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
func.func @bf16(%x: tensor<1x32x24xbf16>, %w: tensor<32x16x4xbf16>, %y: tensor<1x16x50xbf16>) -> tensor<1x16x50xbf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x24xbf16>, tensor<32x16x4xbf16>) outs(%y : tensor<1x16x50xbf16>)
         {stride = array<i64: 2>, kernel = #word16} -> tensor<1x16x50xbf16>
  return %0 : tensor<1x16x50xbf16>
}

// Two grouped phases of two taps each have as many instructions as their four taps, not as two phases times three shifts would have. Fragments
// of positions are loaded once a shift: three times two octets by two words. Neighbouring phases of neighbouring positions are 16 bytes of the output.
// CHECK-LABEL: gpu.func @grouped(
// CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
// CHECK-NOT: gpu.barrier
// CHECK: vector.store {{.*}} : memref<{{.*}}#gpu.address_space<global>>, vector<4xf32>
func.func @grouped(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x40xf32>) -> tensor<1x16x40xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x40xf32>)
         {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, kernel = #grouped} -> tensor<1x16x40xf32>
  return %0 : tensor<1x16x40xf32>
}

// A phase by itself writes every other output: through workgroup memory, a warp and eight channels at a time, so that lanes store neighbours.
// CHECK-LABEL: gpu.func @staged(
// CHECK: scf.yield
// CHECK: gpu.barrier
// CHECK: vector.store {{.*}} #gpu.address_space<workgroup>>, vector<2xf32>
// CHECK: nvvm.bar.warp.sync
// CHECK: vector.store {{.*}} #gpu.address_space<global>>, vector<1xf32>
// CHECK: nvvm.bar.warp.sync
func.func @staged(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, kernel = #single} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// Columns are channels: a lane loads the words of two steps at once, and stores the four neighbouring channels that it holds.
// CHECK-LABEL: gpu.func @channels_last(
// CHECK: vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT: nvvm.mma.sync
// CHECK: scf.yield
// CHECK: vector.store {{.*}} {alignment = 16 : i64} : {{.*}} #gpu.address_space<global>>, vector<4xf32>
func.func @channels_last(%x: tensor<1x20x32xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x42x16xf32>) -> tensor<1x42x16xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x20x32xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x42x16xf32>)
         {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #last} -> tensor<1x42x16xf32>
  return %0 : tensor<1x42x16xf32>
}
