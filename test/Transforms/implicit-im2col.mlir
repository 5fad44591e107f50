// Gathers become copies into workgroup memory by the threads of a block: coordinates, bounds, zero fill.
// RUN: ctc-opt %s --ctc-tile --ctc-implicit-im2col --canonicalize --cse | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// CHECK: gpu.func @layer(%[[X:.*]]: memref<1x4x40xf32, {{.*}}>, %[[P:.*]]: memref<1x1x3x4x4xf32, {{.*}}>, %{{.*}}: memref<1x4x81xf32, {{.*}}>)
// CHECK-NOT: ctc.load_patch
// CHECK: %[[FLAT:.*]] = memref.reinterpret_cast %[[X]]
// CHECK: scf.for
// CHECK: %[[INSIDE:.*]] = arith.cmpi ult
// CHECK: %[[SAFE:.*]] = arith.select %[[INSIDE]]
// CHECK: %[[VALUE:.*]] = memref.load %[[FLAT]][%[[SAFE]]]
// CHECK: %[[FILLED:.*]] = arith.select %[[INSIDE]], %[[VALUE]], %{{.*}} : f32
// CHECK: nvvm.convert.float.to.tf32 %[[FILLED]]
// CHECK: memref.store %{{.*}} #gpu.address_space<workgroup>>
// CHECK-NOT: ctc.load_weights
// CHECK: vector.load {{.*}} {alignment = 16 : i64}
// CHECK: ctc.contract %{{.*}}, %{{.*}} : memref<{{.*}}#gpu.address_space<workgroup>>, memref<{{.*}}#gpu.address_space<workgroup>> into vector<32x4xf32>
func.func @layer(%x: memref<1x4x40xf32>, %p: memref<1x1x3x4x4xf32>, %y: memref<1x4x81xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x4x40xf32>, memref<1x1x3x4x4xf32>) outs(%y : memref<1x4x81xf32>)
    {stride = array<i64: 2>, kernel = #kernel, packed}
  return
}
