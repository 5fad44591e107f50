// Chunks are copied while others are multiplied; how far ahead is the number of stages.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --canonicalize --cse | FileCheck %s

#one = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 8,
           workers = [1, 1], worker_tile = [16, 16], stages = 1, clip = false, source = explicit>
#two = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 8,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>
#three = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 8,
           workers = [1, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#held = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 16,
           workers = [1, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>

// One stage: a chunk is copied, awaited and multiplied between two barriers.
// CHECK-LABEL: gpu.func @one_stage(
// CHECK: gpu.dynamic_shared_memory
// CHECK-NOT: nvvm.cp.async
// CHECK: scf.for {{.*}} -> (vector<16x16xf32>) {
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK: nvvm.convert.float.to.tf32
// CHECK: gpu.barrier
// CHECK: ctc.contract
// CHECK-NEXT: gpu.barrier
// CHECK-NEXT: scf.yield
// CHECK: ctc.store_tile
func.func @one_stage(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, kernel = #one} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// Two stages: the first chunk before the loop; in it one barrier, behind which the next chunk is issued and nothing branches.
// CHECK-LABEL: gpu.func @two_stages(
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK: scf.for {{.*}} -> (vector<16x16xf32>) {
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK: nvvm.convert.float.to.tf32
// CHECK: gpu.barrier
// CHECK-NOT: scf.if
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK-NOT: gpu.barrier
// CHECK: ctc.contract
// CHECK-NEXT: scf.yield
// CHECK: ctc.store_tile
func.func @two_stages(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, kernel = #two} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// Three stages: two chunks before the loop, the first complete. In it the chunk after next is issued before and the next one completed behind
// the multiplication, with no barrier between.
// CHECK-LABEL: gpu.func @three_stages(
// CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1 {
// CHECK: nvvm.cp.async.commit.group
// CHECK-NEXT: }
// CHECK: nvvm.cp.async.wait.group 1
// CHECK: nvvm.convert.float.to.tf32
// CHECK: scf.for {{.*}} -> (vector<16x16xf32>) {
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK-NEXT: gpu.barrier
// CHECK-NOT: scf.if
// CHECK: nvgpu.device_async_copy
// CHECK: nvvm.cp.async.commit.group
// CHECK-NOT: gpu.barrier
// CHECK: ctc.contract
// CHECK-NOT: gpu.barrier
// CHECK-NOT: scf.if
// CHECK: nvvm.convert.float.to.tf32
// CHECK: scf.yield
// CHECK: ctc.store_tile
func.func @three_stages(%x: tensor<1x32x20xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x42xf32>) -> tensor<1x16x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x20xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x42xf32>)
         {stride = array<i64: 2>, kernel = #three} -> tensor<1x16x42xf32>
  return %0 : tensor<1x16x42xf32>
}

// What threads hold in registers: loaded before the multiplication, stored behind it into the other buffer.
// CHECK-LABEL: gpu.func @through_registers(
// CHECK: vector.interleave
// CHECK: vector.store
// CHECK: scf.for {{.*}} -> (vector<16x16xf32>) {
// CHECK-NEXT: nvvm.cp.async.wait.group 0
// CHECK-NEXT: gpu.barrier
// CHECK: %[[PAIRS:.*]] = vector.interleave
// CHECK: nvvm.cp.async.commit.group
// CHECK-NOT: vector.store
// CHECK: ctc.contract
// CHECK: vector.store
// CHECK: scf.yield
// CHECK: ctc.store_tile
func.func @through_registers(%x: tensor<1x32x24xf16>, %w: tensor<32x16x4xf16>, %y: tensor<1x16x50xf16>) -> tensor<1x16x50xf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x24xf16>, tensor<32x16x4xf16>) outs(%y : tensor<1x16x50xf16>)
         {stride = array<i64: 2>, kernel = #held} -> tensor<1x16x50xf16>
  return %0 : tensor<1x16x50xf16>
}
