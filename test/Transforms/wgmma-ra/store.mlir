// Rows are positions: a lane has one position of every eight, and two of every eight channels.
// RUN: ctc-opt %s --ctc-select-kernel --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s

#grouped = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [2], taps = [4], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 8], stages = 3, clip = false, source = explicit>
#single = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 8], stages = 3, clip = false, source = explicit>
#last = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 32], stages = 3, clip = false, source = explicit>

module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // Channels first, two neighbouring phases: eight lanes store 64 bytes side by side, from registers, once the sums are there. Two rows of a lane by
  // two channels are four vectors.
  // CHECK-LABEL: gpu.func @direct(
  // CHECK: scf.yield
  // CHECK: "wgmma.wait_group.sync.aligned 0;"
  // CHECK-NOT: gpu.barrier
  // CHECK-COUNT-4: vector.store {{.*}} {alignment = 8 : i64} : {{.*}} #gpu.address_space<global>>, vector<2xf32>
  // CHECK-NOT: vector.store
  // CHECK: gpu.return
  func.func @direct(%x: tensor<1x32x68xf32>, %w: tensor<32x8x4xf32>, %y: tensor<1x8x136xf32>) -> tensor<1x8x136xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x8x4xf32>) outs(%y : tensor<1x8x136xf32>)
           {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, kernel = #grouped} -> tensor<1x8x136xf32>
    return %0 : tensor<1x8x136xf32>
  }

  // A phase by itself writes every other output. A channel of the stage is a row of 16 positions and a gap, 36 words: lane (g, t) writes positions g
  // and g + 8 of channels 2t and 2t + 1. Behind a barrier, for the last chunks lie in the same bytes.
  // CHECK-LABEL: gpu.func @staged(
  // CHECK: "wgmma.wait_group.sync.aligned 0;"
  // CHECK: nvvm.cp.async.wait.group 0
  // CHECK: gpu.barrier
  // CHECK-COUNT-4: vector.store {{.*}} : memref<288xf32, #gpu.address_space<workgroup>>, vector<1xf32>
  // CHECK-NOT: vector.store
  // CHECK: nvvm.bar.warp.sync
  // CHECK: scf.for
  // CHECK: vector.load {{.*}} : memref<288xf32, #gpu.address_space<workgroup>>, vector<1xf32>
  // CHECK: vector.store {{.*}} #gpu.address_space<global>>, vector<1xf32>
  // CHECK: nvvm.bar.warp.sync
  func.func @staged(%x: tensor<1x32x68xf32>, %w: tensor<32x8x4xf32>, %y: tensor<1x8x138xf32>) -> tensor<1x8x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x8x4xf32>) outs(%y : tensor<1x8x138xf32>)
           {stride = array<i64: 2>, kernel = #single} -> tensor<1x8x138xf32>
    return %0 : tensor<1x8x138xf32>
  }

  // Two phases whose rows are no whole sectors: staged side by side, two words at a time.
  // CHECK-LABEL: gpu.func @staged_phases(
  // CHECK: gpu.barrier
  // CHECK: gpu.barrier
  // CHECK-COUNT-4: vector.store {{.*}} {alignment = 8 : i64} : memref<{{.*}}xf32, #gpu.address_space<workgroup>>, vector<2xf32>
  // CHECK-NOT: vector.store
  // CHECK: nvvm.bar.warp.sync
  // CHECK: vector.store {{.*}} #gpu.address_space<global>>, vector<2xf32>
  func.func @staged_phases(%x: tensor<1x32x68xf32>, %w: tensor<32x8x4xf32>, %y: tensor<1x8x138xf32>) -> tensor<1x8x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x8x4xf32>) outs(%y : tensor<1x8x138xf32>)
           {stride = array<i64: 2>, kernel = #grouped} -> tensor<1x8x138xf32>
    return %0 : tensor<1x8x138xf32>
  }

  // Channels last: packed so that a lane has four neighbouring channels of every 16, two times at two positions.
  // CHECK-LABEL: gpu.func @channels_last(
  // CHECK: "wgmma.wait_group.sync.aligned 0;"
  // CHECK-NOT: gpu.barrier
  // CHECK-COUNT-4: vector.store {{.*}} {alignment = 16 : i64} : {{.*}} #gpu.address_space<global>>, vector<4xf32>
  // CHECK-NOT: vector.store
  // CHECK: gpu.return
  func.func @channels_last(%x: tensor<1x68x32xf32>, %w: tensor<32x32x4xf32>, %y: tensor<1x138x32xf32>) -> tensor<1x138x32xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x68x32xf32>, tensor<32x32x4xf32>) outs(%y : tensor<1x138x32xf32>)
           {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #last} -> tensor<1x138x32xf32>
    return %0 : tensor<1x138x32xf32>
  }
}
