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
