// Two warps share a tile: each multiplies its steps of every chunk, then they add their sums and store a part of the tile each.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize | FileCheck %s --check-prefix=PACK
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --canonicalize --cse | FileCheck %s --check-prefix=TILE
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --ctc-implicit-im2col --canonicalize --cse | FileCheck %s --check-prefix=COPY
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s --check-prefix=SUM

#first = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 32,
           workers = [1, 1], worker_tile = [32, 32], stages = 2, clip = false, split = 2, source = explicit>
#last = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 32,
           workers = [1, 1], worker_tile = [32, 16], stages = 2, clip = false, split = 2, source = explicit>

// The order of weights knows the shares: in channels last a lane's planes are neighbours inside of one.
// PACK-LABEL: func.func @first__prepare(
// PACK: #ctc.fragments<chunk_channels = 32, split = 2, unit = 16, lanes = positions, layout = channels_first>

// A split has threads of its own, the accumulator is the block's as ever. Sums of two warps by 32 positions by 32 channels are 8 KiB, buffers more.
// TILE-LABEL: func.func @first(
// TILE: ctc.launch {{.*}} block_size = 64 : i64
// TILE: scf.for {{.*}} -> (vector<32x32xf32>) {
// TILE: ctc.load_patch {{.*}} -> vector<32x1x33xf32>
// TILE: ctc.contract

// All 64 threads copy: 2 taps by 32 by 32 weights are 512 vectors, 8 a thread.
// COPY-LABEL: gpu.func @first(
// COPY: ctc.copy_chunk {async} issue {
// COPY-COUNT-8: nvgpu.device_async_copy {{.*}} : memref<8192xf32, {{.*}} to memref<2048xf32, #gpu.address_space<workgroup>>
// COPY-NOT: memref<8192xf32, {{.*}} to memref<2048xf32
// COPY: ctc.contract

// Two of the four steps of a chunk, two taps, two rows and four columns of fragments are 32 instructions. Eight fragments go to the other warp, four
// are stored: from two shares each, added once. Both barriers are the exchange's; staging the stores has its own.
// SUM-LABEL: gpu.func @first(
// SUM: %[[THREAD:.*]] = gpu.thread_id x
// SUM: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
// SUM-COUNT-32: nvvm.mma.sync
// SUM-NOT: nvvm.mma.sync
// SUM: scf.yield
// SUM: gpu.barrier
// SUM-COUNT-8: vector.store {{.*}} {alignment = 16 : i64} : memref<2048xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// SUM-NOT: vector.store
// SUM: gpu.barrier
// SUM: %[[ONE:.*]] = vector.load {{.*}} : memref<2048xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// SUM: %[[TWO:.*]] = vector.load {{.*}} : memref<2048xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// SUM: arith.addf %[[ONE]], %[[TWO]] : vector<4xf32>
// SUM-COUNT-3: arith.addf {{.*}} : vector<4xf32>
// SUM-NOT: arith.addf {{.*}} : vector<4xf32>
// SUM: gpu.barrier
// SUM: vector.store {{.*}} #gpu.address_space<global>>
func.func @first(%x: tensor<1x64x36xf32>, %w: tensor<64x32x4xf32>, %y: tensor<1x32x74xf32>) -> tensor<1x32x74xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x64x36xf32>, tensor<64x32x4xf32>) outs(%y : tensor<1x32x74xf32>)
         {stride = array<i64: 2>, kernel = #first} -> tensor<1x32x74xf32>
  return %0 : tensor<1x32x74xf32>
}

// Channels last divides positions first, which leaves a lane its four neighbouring channels; shares are 16 neighbouring planes, 16 bytes a load.
// PACK-LABEL: func.func @last__prepare(
// PACK: #ctc.fragments<chunk_channels = 32, split = 2, unit = 16, lanes = channels, layout = channels_last>
// SUM-LABEL: gpu.func @last(
// SUM: vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
// SUM-COUNT-16: nvvm.mma.sync
// SUM-NOT: nvvm.mma.sync
// SUM: gpu.barrier
// SUM-COUNT-4: vector.store {{.*}} #gpu.address_space<workgroup>>, vector<4xf32>
// SUM: gpu.barrier
// SUM-COUNT-2: arith.addf {{.*}} : vector<4xf32>
// SUM-NOT: gpu.barrier
// SUM: vector.store {{.*}} {alignment = 16 : i64} : {{.*}} #gpu.address_space<global>>, vector<4xf32>
func.func @last(%x: tensor<1x36x64xf32>, %w: tensor<64x16x4xf32>, %y: tensor<1x74x16xf32>) -> tensor<1x74x16xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x36x64xf32>, tensor<64x16x4xf32>) outs(%y : tensor<1x74x16xf32>)
         {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #last} -> tensor<1x74x16xf32>
  return %0 : tensor<1x74x16xf32>
}
