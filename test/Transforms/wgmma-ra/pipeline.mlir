// Multiplications of wgmma go on by themselves and read weights through another proxy: copies are fenced before every barrier, and sums are settled
// before anyone reads them or writes over the tiles.
// RUN: ctc-opt %s --ctc-select-kernel --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --canonicalize --cse | FileCheck %s

#one = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 1, clip = false, source = explicit>
#two = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>
#three = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#four = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 4, clip = false, source = explicit>
#held = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 16,
           workers = [4, 1], worker_tile = [16, 16], stages = 2, clip = false, source = explicit>

module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // One stage: the multiplication is ended before the barrier behind which the next chunk is copied. Positions are rounded when they are read, so
  // nothing is rounded here.
  // CHECK-LABEL: gpu.func @one_stage(
  // CHECK-NOT: nvvm.cp.async
  // CHECK: scf.for {{.*}} -> (vector<64x16xf32>) {
  // CHECK: nvgpu.device_async_copy
  // CHECK: nvvm.cp.async.commit.group
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  // CHECK-NOT: nvvm.convert.float.to.tf32
  // CHECK: nvvm.fence.proxy {kind = #nvvm.proxy_kind<async.shared>, space = #nvvm.shared_space<cta>}
  // CHECK-NEXT: gpu.barrier
  // CHECK: %[[SUMS:.*]] = ctc.contract {{.*}} round_tf32}
  // CHECK-NEXT: %[[SETTLED:.*]] = ctc.settle %[[SUMS]] : vector<64x16xf32>
  // CHECK-NEXT: gpu.barrier
  // CHECK-NEXT: scf.yield %[[SETTLED]]
  // CHECK-NOT: ctc.settle
  // CHECK: ctc.store_tile
  func.func @one_stage(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #one} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // Two stages: copies of the next chunk overlap with the multiplication, which is ended within its turn.
  // CHECK-LABEL: gpu.func @two_stages(
  // CHECK: nvvm.cp.async.commit.group
  // CHECK: scf.for {{.*}} -> (vector<64x16xf32>) {
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  // CHECK-NEXT: nvvm.fence.proxy
  // CHECK-NEXT: gpu.barrier
  // CHECK: nvgpu.device_async_copy
  // CHECK: nvvm.cp.async.commit.group
  // CHECK-NOT: gpu.barrier
  // CHECK: %[[SUMS:.*]] = ctc.contract
  // CHECK-NEXT: %[[SETTLED:.*]] = ctc.settle %[[SUMS]]
  // CHECK-NEXT: scf.yield %[[SETTLED]]
  // CHECK-NOT: ctc.settle
  // CHECK: ctc.store_tile
  func.func @two_stages(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #two} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // Three stages: one chunk before the loop. What is copied in a turn is the next chunk, into the buffer of the last but one: the last may still be
  // multiplied. Sums pass from turn to turn as they are, and are settled behind the loop.
  // CHECK-LABEL: gpu.func @three_stages(
  // CHECK-COUNT-1: nvvm.cp.async.commit.group
  // CHECK-NOT: nvvm.cp.async.commit.group
  // CHECK: %[[SUMS:.*]] = scf.for %[[CHUNK:[^ ]+]] = {{.*}} -> (vector<64x16xf32>) {
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  // CHECK-NEXT: nvvm.fence.proxy
  // CHECK-NEXT: gpu.barrier
  // CHECK: %[[NEXT:.*]] = arith.addi %[[CHUNK]], %c1 : index
  // CHECK: arith.remui %[[NEXT]], %c3 : index
  // CHECK: nvgpu.device_async_copy
  // CHECK: nvvm.cp.async.commit.group
  // CHECK: %[[UNDERWAY:.*]] = ctc.contract
  // CHECK-NEXT: scf.yield %[[UNDERWAY]]
  // CHECK-NEXT: }
  // CHECK-NEXT: %[[SETTLED:.*]] = ctc.settle %[[SUMS]] : vector<64x16xf32>
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  // CHECK: ctc.store_tile %[[SETTLED]]
  func.func @three_stages(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #three} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // Four stages: two chunks before the loop, one of which may still be on its way when the other is multiplied.
  // CHECK-LABEL: gpu.func @four_stages(
  // CHECK: scf.for %{{.*}} = %c0 to %c2 step %c1 {
  // CHECK: nvvm.cp.async.commit.group
  // CHECK-NEXT: }
  // CHECK: %[[SUMS:.*]] = scf.for %[[CHUNK:[^ ]+]] = {{.*}} -> (vector<64x16xf32>) {
  // CHECK-NEXT: nvvm.cp.async.wait.group 1
  // CHECK-NEXT: nvvm.fence.proxy
  // CHECK-NEXT: gpu.barrier
  // CHECK: %[[LATER:.*]] = arith.addi %[[CHUNK]], %c2 : index
  // CHECK: arith.remui %[[LATER]], %c4 : index
  // CHECK: %[[UNDERWAY:.*]] = ctc.contract
  // CHECK-NEXT: scf.yield %[[UNDERWAY]]
  // CHECK-NEXT: }
  // CHECK-NEXT: ctc.settle %[[SUMS]]
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  func.func @four_stages(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #four} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // 16-bit channels first go through registers, and are stored behind the multiplication into the other buffer. Weights come by cp.async.
  // CHECK-LABEL: gpu.func @through_registers(
  // CHECK: vector.interleave
  // CHECK: vector.store
  // CHECK: scf.for {{.*}} -> (vector<64x16xf32>) {
  // CHECK-NEXT: nvvm.cp.async.wait.group 0
  // CHECK-NEXT: nvvm.fence.proxy
  // CHECK-NEXT: gpu.barrier
  // CHECK: vector.interleave
  // CHECK: nvvm.cp.async.commit.group
  // CHECK-NOT: vector.store
  // CHECK: %[[SUMS:.*]] = ctc.contract
  // CHECK-NOT: round_tf32
  // CHECK: vector.store
  // CHECK: %[[SETTLED:.*]] = ctc.settle %[[SUMS]]
  // CHECK-NEXT: scf.yield %[[SETTLED]]
  func.func @through_registers(%x: tensor<1x32x72xf16>, %w: tensor<32x16x4xf16>, %y: tensor<1x16x146xf16>) -> tensor<1x16x146xf16> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x72xf16>, tensor<32x16x4xf16>) outs(%y : tensor<1x16x146xf16>)
           {stride = array<i64: 2>, kernel = #held} -> tensor<1x16x146xf16>
    return %0 : tensor<1x16x146xf16>
  }
}
