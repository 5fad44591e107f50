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
// The two outputs of a position are a vector, which goes from registers to the output, without another barrier.
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [2], taps = [4], chunk_channels = 1,
                      workers = [32, 1], worker_tile = [1, 1],
                      stages = 1, source = explicit>

// CHECK: gpu.func @grouped(
// CHECK: gpu.barrier
// CHECK-COUNT-4: vector.fma {{.*}} : vector<1xf32>
// CHECK-NOT: {{vector.fma|gpu.barrier}}
// CHECK: vector.store {{.*}} {alignment = 8 : i64} : memref<80xf32, {{.*}}#gpu.address_space<global>>, vector<2xf32>
// CHECK-NOT: vector.store
func.func @grouped(%x: memref<1x1x40xf32>, %p: memref<1x1x4x1x1xf32>, %y: memref<1x1x80xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x1x40xf32>, memref<1x1x4x1x1xf32>) outs(%y : memref<1x1x80xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, kernel = #kernel, packed}
  return
}

// -----

#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [2], taps = [4], chunk_channels = 1,
                      workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

// A thread has four groups of one channel: their pixels are one vector, and so are their weights and outputs. Four taps read three
// pixels; the two phases of a position are 12 elements apart.
// CHECK: gpu.func @groups(
// CHECK: gpu.barrier
// CHECK: %[[OLD:.*]] = vector.load %[[PATCH:[a-z0-9_]+]][%{{.*}}] {alignment = 16 : i64} : memref<144xf32, {{.*}}>, vector<4xf32>
// CHECK: %[[A:.*]] = vector.fma %[[OLD]], %{{.*}}, %{{.*}} : vector<4xf32>
// CHECK: %[[MIDDLE:.*]] = vector.load %[[PATCH]][%{{.*}}]
// CHECK: %[[B:.*]] = vector.fma %[[MIDDLE]]
// CHECK: %[[FIRST:.*]] = vector.fma %[[MIDDLE]], %{{.*}}, %[[A]]
// CHECK: %[[NEW:.*]] = vector.load %[[PATCH]][%{{.*}}]
// CHECK: %[[SECOND:.*]] = vector.fma %[[NEW]], %{{.*}}, %[[B]]
// CHECK-NOT: gpu.barrier
// CHECK: vector.store %[[FIRST]], %{{.*}} {alignment = 16 : i64} : memref<768xf32, {{.*}}#gpu.address_space<global>>, vector<4xf32>
// CHECK: %[[PLACE:.*]] = arith.addi %{{.*}}, %c12
// CHECK: vector.store %[[SECOND]], %{{.*}}[%[[PLACE]]]
func.func @groups(%x: memref<2x16x12xf32>, %p: memref<2x1x4x1x8xf32>, %y: memref<2x32x12xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<2x16x12xf32>, memref<2x1x4x1x8xf32>) outs(%y : memref<2x32x12xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, groups = 12 : i64,
     layout = #ctc.layout<channels_last>, precision = #ctc.precision<ieee>, kernel = #kernel, packed}
  return
}

// -----

#pairs = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [1], taps = [1], chunk_channels = 2,
                     workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 4>

// Groups of two inputs and two outputs: a thread's two groups read four pixels, and each of them goes to both outputs of its group.
// CHECK: gpu.func @pairs(
// CHECK: %[[PIXEL:.*]] = vector.load {{.*}} : memref<128xf32, {{.*}}>, vector<4xf32>
// CHECK: %[[EVEN:.*]] = vector.shuffle %[[PIXEL]], %[[PIXEL]] [0, 0, 2, 2]
// CHECK: vector.fma %[[EVEN]]
// CHECK: %[[ODD:.*]] = vector.shuffle %[[PIXEL]], %[[PIXEL]] [1, 1, 3, 3]
// CHECK: vector.fma %[[ODD]]
// CHECK-NOT: vector.fma
func.func @pairs(%x: memref<1x16x16xf32>, %p: memref<2x1x1x2x8xf32>, %y: memref<1x16x16xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x16x16xf32>, memref<2x1x1x2x8xf32>) outs(%y : memref<1x16x16xf32>)
    {groups = 8 : i64, layout = #ctc.layout<channels_last>, kernel = #pairs, packed}
  return
}
