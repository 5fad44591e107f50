// A thread owns a vector of output channels; the tile is stored through workgroup memory with the epilogue once.
// RUN: ctc-opt %s --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// Four input channels of a chunk are four multiply-adds of four output channels.
// CHECK: gpu.func @layer(
// CHECK: iter_args({{.*}}) -> (vector<4xf32>
// CHECK-COUNT-4: vector.fma {{.*}} : vector<4xf32>
// CHECK-NOT: vector.fma
// CHECK: gpu.barrier
// CHECK: vector.extract {{.*}} : f32 from vector<4xf32>
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: memref.load {{.*}} #gpu.address_space<workgroup>>
// CHECK: arith.addf
// CHECK-COUNT-1: arith.maximumf
// CHECK-NOT: arith.maximumf
// CHECK: arith.truncf {{.*}} : f32 to f16
// CHECK: memref.store {{.*}} : memref<{{.*}}xf16, {{.*}}#gpu.address_space<global>>
// CHECK-NOT: ctc.{{contract|store_tile|yield}}
func.func @layer(%x: memref<1x4x40xf16>, %p: memref<1x1x3x4x4xf16>, %b: memref<4xf32>, %y: memref<1x4x81xf16>) {
  ctc.conv_transpose ins(%x, %p : memref<1x4x40xf16>, memref<1x1x3x4x4xf16>) bias(%b : memref<4xf32>)
    outs(%y : memref<1x4x81xf16>) {stride = array<i64: 2>, kernel = #kernel, packed} epilogue {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %acc, %zero : f32
    ctc.yield %relu : f32
  }
  return
}
