// A chunk is copied in two steps: issue starts the copies, complete ends them. Words that lie in memory as in the patch go by cp.async.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --ctc-implicit-im2col --canonicalize --cse --split-input-file | FileCheck %s

#kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [2], taps = [3], chunk_channels = 8,
                      workers = [1, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>

// f32, rows of a multiple of four: 16 bytes a copy, which pass the first level by. Weights always exist; a vector outside of the input
// copies 0 elements, and cp.async writes zeros. Only then does the thread round what it copied.
// CHECK-LABEL: gpu.func @wide(
// CHECK-COUNT-2: memref.alloc() : memref<{{[0-9]+}}xf32, #gpu.address_space<workgroup>>
// CHECK: ctc.copy_chunk {async} issue {
// CHECK-COUNT-3: nvgpu.device_async_copy {{.*}}, 4, %c4 {bypassL1}
// CHECK: %[[LEGAL:.*]] = arith.select %{{.*}}, %c4, %c0 : index
// CHECK: nvgpu.device_async_copy {{.*}}, 4, %[[LEGAL]] {bypassL1}
// CHECK: ctc.copied
// CHECK-NEXT: } complete {
// CHECK: vector.load {{.*}} vector<4xf32>
// CHECK-COUNT-4: nvvm.convert.float.to.tf32 {{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
// CHECK: vector.store {{.*}} vector<4xf32>
// CHECK: %[[PATCH:.*]] = memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [8, 1, 1, 20], strides: [24, 1, 20, 1]
// CHECK: ctc.contract %[[PATCH]], {{.*}} skew %{{.*}} {halo = array<i64: 17>
// CHECK-NOT: ctc.load_patch
// CHECK-NOT: ctc.load_weights
func.func @wide(%x: tensor<1x16x20xf32>, %w: tensor<16x16x3xf32>, %y: tensor<1x16x41xf32>) -> tensor<1x16x41xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x20xf32>, tensor<16x16x3xf32>) outs(%y : tensor<1x16x41xf32>)
         {stride = array<i64: 2>, kernel = #kernel} -> tensor<1x16x41xf32>
  return %0 : tensor<1x16x41xf32>
}

// -----

#kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [2], taps = [3], chunk_channels = 8,
                      workers = [1, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>

// Rows of 19 are aligned to one element: copies of 4 bytes, and the window is the halo.
// CHECK-LABEL: gpu.func @narrow(
// CHECK: ctc.copy_chunk {async} issue {
// CHECK: nvgpu.device_async_copy {{.*}}, 1, %{{.*}} : memref<304xf32
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [8, 1, 1, 17]
// CHECK: ctc.contract
// CHECK-NOT: skew
// CHECK: ctc.store_tile
func.func @narrow(%x: tensor<1x16x19xf32>, %w: tensor<16x16x3xf32>, %y: tensor<1x16x39xf32>) -> tensor<1x16x39xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x19xf32>, tensor<16x16x3xf32>) outs(%y : tensor<1x16x39xf32>)
         {stride = array<i64: 2>, kernel = #kernel} -> tensor<1x16x39xf32>
  return %0 : tensor<1x16x39xf32>
}

// -----

#kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
                      workers = [1, 1], worker_tile = [16, 16], stages = 2, source = explicit>

// 16-bit channels first: a word is a pair of channels, which lie far apart. Threads hold both rows between the steps and interleave them. With
// 13 channels the second of the last pair does not exist: it is zero.
// CHECK-LABEL: gpu.func @pairs(
// CHECK: ctc.copy_chunk issue {
// CHECK: %[[FIRST:.*]] = arith.select %{{.*}}, %{{.*}}, %[[ZERO:.*]] : vector<8xf16>
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %{{.*}}, %{{.*}} : i32
// CHECK: arith.andi {{.*}}, %[[EXISTS]]
// CHECK: %[[SECOND:.*]] = arith.select %{{.*}}, %{{.*}}, %[[ZERO]] : vector<8xf16>
// CHECK: %[[PAIRS:.*]] = vector.interleave %[[FIRST]], %[[SECOND]] : vector<8xf16> -> vector<16xf16>
// CHECK: ctc.copied(%[[PAIRS]] : vector<16xf16>)
// CHECK-NEXT: } complete {
// CHECK-NEXT: ^bb0(%[[HELD:.*]]: vector<16xf16>):
// CHECK-COUNT-2: vector.store {{.*}} vector<8xf16>
// CHECK-NOT: nvvm.convert.float.to.tf32
// CHECK: memref.reinterpret_cast %{{.*}} to offset: [0], sizes: [8, 2, 1, 24], strides: [48, 1, 48, 2]
// CHECK: ctc.contract
func.func @pairs(%x: tensor<1x13x16xf16>, %w: tensor<13x16x4xf16>, %y: tensor<1x16x34xf16>) -> tensor<1x16x34xf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x13x16xf16>, tensor<13x16x4xf16>) outs(%y : tensor<1x16x34xf16>)
         {stride = array<i64: 2>, kernel = #kernel} -> tensor<1x16x34xf16>
  return %0 : tensor<1x16x34xf16>
}

// -----

#kernel = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
                      workers = [1, 1], worker_tile = [16, 16], stages = 2, source = explicit>

// bf16 channels last: pairs of channels are neighbours, so 16 of them are two copies of 16 bytes.
// CHECK-LABEL: gpu.func @neighbours(
// CHECK: ctc.copy_chunk {async} issue {
// CHECK: nvgpu.device_async_copy {{.*}}, 8, %{{.*}} {bypassL1} : memref<256xbf16
// CHECK: ctc.copied
// CHECK-NEXT: } complete {
// CHECK-NEXT: ctc.copied
func.func @neighbours(%x: tensor<1x16x16xbf16>, %w: tensor<16x16x4xbf16>, %y: tensor<1x34x16xbf16>) -> tensor<1x34x16xbf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x16xbf16>, tensor<16x16x4xbf16>) outs(%y : tensor<1x34x16xbf16>)
         {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #kernel} -> tensor<1x34x16xbf16>
  return %0 : tensor<1x34x16xbf16>
}

// -----

#kernel = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
                      workers = [1, 1], worker_tile = [16, 16], stages = 2, source = explicit>

// 13 channels of two bytes are aligned to one: less than the 4 bytes that cp.async takes.
// CHECK-LABEL: gpu.func @odd(
// CHECK: ctc.copy_chunk issue {
// CHECK-NOT: nvgpu.device_async_copy {{.*}} : memref<208xbf16
// CHECK: } complete {
func.func @odd(%x: tensor<1x16x13xbf16>, %w: tensor<13x16x4xbf16>, %y: tensor<1x34x16xbf16>) -> tensor<1x34x16xbf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x13xbf16>, tensor<13x16x4xbf16>) outs(%y : tensor<1x34x16xbf16>)
         {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #kernel} -> tensor<1x34x16xbf16>
  return %0 : tensor<1x34x16xbf16>
}
