// A thread owns a vector of output channels; the tile is stored through workgroup memory, and each channel's epilogue stands
// in the code once.
// RUN: ctc-opt %s --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse --split-input-file | FileCheck %s

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
// CHECK: arith.addf
// CHECK-NOT: arith.maximumf
// CHECK: gpu.barrier
// CHECK: scf.if
// CHECK: memref.load {{.*}} #gpu.address_space<workgroup>>
// CHECK: arith.maximumf
// CHECK: arith.truncf {{.*}} to vector<1xf16>
// CHECK: vector.store {{.*}} : memref<{{.*}}xf16, {{.*}}#gpu.address_space<global>>
// CHECK-COUNT-3: arith.maximumf
// CHECK-NOT: arith.maximumf
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

// -----

// With both phases in a block all taps are unrolled: kernel 4, stride 2, so two taps of each phase, from a window of 3 pixels.
// The two outputs of a position are a vector, which goes from registers to the output; no second barrier pair.
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [2], taps = [4], chunk_channels = 1,
                      workers = [32, 1], worker_tile = [1, 1],
                      stages = 1, source = explicit>

// CHECK: gpu.func @grouped(
// CHECK: gpu.barrier
// CHECK-COUNT-4: vector.fma {{.*}} : vector<1xf32>
// CHECK-NOT: vector.fma
// CHECK: gpu.barrier
// CHECK-NOT: gpu.barrier
// CHECK: vector.store {{.*}} {alignment = 8 : i64} : memref<80xf32, {{.*}}#gpu.address_space<global>>, vector<2xf32>
// CHECK-NOT: vector.store
func.func @grouped(%x: memref<1x1x40xf32>, %p: memref<1x1x4x1x1xf32>, %y: memref<1x1x80xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x1x40xf32>, memref<1x1x4x1x1xf32>) outs(%y : memref<1x1x80xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, kernel = #kernel, packed}
  return
}
