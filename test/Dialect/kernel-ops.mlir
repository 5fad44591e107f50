// RUN: ctc-opt %s | ctc-opt | FileCheck %s
// RUN: ctc-opt %s --mlir-print-op-generic | ctc-opt | FileCheck %s

// The operations of a whole block, as they stand between ctc-tile and
// ctc-vectorize, and of an entry.

// CHECK-LABEL: func @body
// CHECK: %[[P:.*]] = ctc.load_patch %{{.*}} sample %{{.*}} of %{{.*}} channel %{{.*}} to %{{.*}} origin(%{{.*}}, %{{.*}}) {group_channels = 8 : i64, layout = #ctc.layout<channels_first>, round_tf32} : memref<1x8x4x4xf32> -> vector<8x1x3x3xf32>
// CHECK: %[[W:.*]] = ctc.load_weights %{{.*}} group %{{.*}} tile %{{.*}} channel %{{.*}} slot(%{{.*}}, %{{.*}}) count(%{{.*}}, %{{.*}}) : memref<1x1x3x3x8x4xf32> -> vector<2x2x8x4xf32>
// CHECK: %[[A:.*]] = ctc.contract %[[P]], %[[W]], %{{.*}} chunk %{{.*}} count(%{{.*}}, %{{.*}}) {halo = array<i64: 3, 3>, input_step = array<i64: 1, 1>} : vector<8x1x3x3xf32>, vector<2x2x8x4xf32> into vector<4x4xf32>
// CHECK: ctc.store_tile %[[A]] into %{{.*}} sample %{{.*}} of %{{.*}} channel %{{.*}} to %{{.*}} origin(%{{.*}}, %{{.*}}) extent(%{{.*}}, %{{.*}}) bias(%{{.*}} : memref<4xf32>) {group_channels = 4 : i64, layout = #ctc.layout<channels_first>, stride = array<i64: 2, 2>} : vector<4x4xf32> into memref<1x4x9x9xf32> epilogue {
func.func @body(%x: memref<1x8x4x4xf32>, %w: memref<1x1x3x3x8x4xf32>, %b: memref<4xf32>, %y: memref<1x4x9x9xf32>, %acc: vector<4x4xf32>) {
  %0 = arith.constant 0 : index
  %1 = arith.constant 1 : index
  %8 = arith.constant 8 : index
  %p = ctc.load_patch %x sample %0 of %1 channel %0 to %8 origin(%0, %0)
         {group_channels = 8, layout = #ctc.layout<channels_first>, round_tf32} : memref<1x8x4x4xf32> -> vector<8x1x3x3xf32>
  %t = ctc.load_weights %w group %0 tile %0 channel %0 slot(%0, %0) count(%1, %1)
         : memref<1x1x3x3x8x4xf32> -> vector<2x2x8x4xf32>
  %a = ctc.contract %p, %t, %acc chunk %0 count(%1, %1) {halo = array<i64: 3, 3>, input_step = array<i64: 1, 1>}
         : vector<8x1x3x3xf32>, vector<2x2x8x4xf32> into vector<4x4xf32>
  ctc.store_tile %a into %y sample %0 of %1 channel %0 to %8 origin(%0, %0) extent(%1, %1)
    bias(%b : memref<4xf32>) {group_channels = 4, layout = #ctc.layout<channels_first>, stride = array<i64: 2, 2>}
    : vector<4x4xf32> into memref<1x4x9x9xf32> epilogue {
  ^bb0(%e: f32):
    ctc.yield %e : f32
  }
  return
}

// CHECK-LABEL: func @entry
// CHECK: ctc.pack_weights %{{.*}} into %{{.*}} {groups = 1 : i64, round_tf32, tap_step = array<i64: 2>} : memref<8x4x3xf32> into memref<1x1x3x8x4xf32>
// CHECK: ctc.launch @kernels::@layer(%{{.*}}, %{{.*}}) {batch_tile = 1 : i64, block_size = 64 : i64, blocks_per_tile = 12 : i64, passes_batch} : memref<8x4x3xf32>, memref<1x1x3x8x4xf32>
func.func @entry(%w: memref<8x4x3xf32>, %packed: memref<1x1x3x8x4xf32>) {
  ctc.pack_weights %w into %packed {groups = 1, tap_step = array<i64: 2>, round_tf32}
    : memref<8x4x3xf32> into memref<1x1x3x8x4xf32>
  ctc.launch @kernels::@layer(%w, %packed)
    {blocks_per_tile = 12, batch_tile = 1, block_size = 64, passes_batch}
    : memref<8x4x3xf32>, memref<1x1x3x8x4xf32>
  return
}

// What ctc-implicit-im2col makes of the loads of mma_sync, and contractions with grouped phases.

// CHECK-LABEL: func @copies
// CHECK: ctc.copy_chunk {async} issue {
// CHECK-NEXT: ctc.copied
// CHECK-NEXT: } complete {
// CHECK-NEXT: ctc.copied
// CHECK: ctc.copy_chunk issue {
// CHECK-NEXT: ctc.copied(%{{.*}} : vector<4xf32>)
// CHECK-NEXT: } complete {
// CHECK-NEXT: ^bb0(%{{.*}}: vector<4xf32>):
// CHECK-NEXT: ctc.copied
func.func @copies(%held: vector<4xf32>) {
  ctc.copy_chunk {async} issue {
    ctc.copied
  } complete {
    ctc.copied
  }
  ctc.copy_chunk issue {
    ctc.copied(%held : vector<4xf32>)
  } complete {
  ^bb0(%same: vector<4xf32>):
    ctc.copied
  }
  return
}

// CHECK-LABEL: func @grouped
// CHECK: ctc.contract %{{.*}}, %{{.*}}, %{{.*}} chunk %{{.*}} count(%{{.*}}) skew %{{.*}} {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 1, 0, 0, 1, 1>], split_tf32}
// CHECK: ctc.store_tile {{.*}} phases = array<i64: 2>, stride = array<i64: 2>}
// CHECK: ctc.pack_weights {{.*}} {fragments = #ctc.fragments<chunk_channels = 8, unit = 16, lanes = positions, layout = channels_first>
func.func @grouped(%p: vector<8x1x9xf32>, %t: vector<3x8x16xf32>, %acc: vector<8x32xf32>, %y: memref<1x16x20xf32>, %i: index,
                   %w: memref<8x16x3xf32>, %packed: memref<1x1x3x8x16xf32>) {
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) skew %i
         {halo = array<i64: 9>, input_step = array<i64: 1>, phase_taps = [array<i64: 0, 1, 0, 0, 1, 1>], split_tf32}
         : vector<8x1x9xf32>, vector<3x8x16xf32> into vector<8x32xf32>
  ctc.store_tile %a into %y sample %i of %i channel %i to %i origin(%i) extent(%i)
    {group_channels = 16, layout = #ctc.layout<channels_first>, phases = array<i64: 2>, stride = array<i64: 2>} : vector<8x32xf32> into memref<1x16x20xf32>
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>, fragments = #ctc.fragments<chunk_channels = 8, unit = 16, lanes = positions, layout = channels_first>}
    : memref<8x16x3xf32> into memref<1x1x3x8x16xf32>
  return
}

// What wgmma adds: weights in core matrices, positions rounded when they are read, and the end of multiplications under way.

// CHECK-LABEL: func @under_way
// CHECK: ctc.pack_weights {{.*}} {fragments = #ctc.fragments<chunk_channels = 8, unit = 8, lanes = channels, layout = channels_first, cores = true>
// CHECK: %[[SUMS:.*]] = ctc.contract {{.*}} {halo = array<i64: 65>, input_step = array<i64: 1>, round_tf32}
// CHECK: ctc.settle %[[SUMS]] : vector<64x8xf32>
func.func @under_way(%p: vector<8x1x65xf32>, %t: vector<2x8x8xf32>, %acc: vector<64x8xf32>, %i: index,
                     %w: memref<8x8x3xf32>, %packed: memref<1x1x3x8x8xf32>) -> vector<64x8xf32> {
  ctc.pack_weights %w into %packed
    {groups = 1, tap_step = array<i64: 2>,
     fragments = #ctc.fragments<chunk_channels = 8, unit = 8, lanes = channels, layout = channels_first, cores = true>}
    : memref<8x8x3xf32> into memref<1x1x3x8x8xf32>
  %a = ctc.contract %p, %t, %acc chunk %i count(%i) {halo = array<i64: 65>, input_step = array<i64: 1>, round_tf32}
         : vector<8x1x65xf32>, vector<2x8x8xf32> into vector<64x8xf32>
  %s = ctc.settle %a : vector<64x8xf32>
  return %s : vector<64x8xf32>
}
