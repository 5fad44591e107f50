// Gathers become copies into workgroup memory by the threads of a block: coordinates, bounds, zero fill.
// RUN: ctc-opt %s --ctc-tile --ctc-implicit-im2col --canonicalize --cse --split-input-file | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// CHECK: gpu.func @layer(%[[X:.*]]: memref<1x4x40xf32, {{.*}}>, %[[P:.*]]: memref<1x1x3x4x4xf32, {{.*}}>, %{{.*}}: memref<1x4x81xf32, {{.*}}>)
// CHECK-NOT: ctc.load_patch
// CHECK: %[[FLAT:.*]] = memref.reinterpret_cast %[[X]]
// Rows of 40 are whole vectors of 4. The halo of 33 positions is read as 9 of them, all channels before the first is stored.
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %{{.*}}, %c9_i32
// CHECK: %[[IN:.*]] = arith.cmpi ult
// CHECK: %[[INSIDE:.*]] = arith.andi %[[EXISTS]], %[[IN]]
// CHECK: %[[SAFE:.*]] = arith.select %[[INSIDE]]
// CHECK: %[[VALUE:.*]] = vector.load %[[FLAT]][%[[SAFE]]] {alignment = 16 : i64}
// CHECK: %[[FILLED:.*]] = arith.select %[[INSIDE]], %[[VALUE]], %{{.*}} : vector<4xf32>
// CHECK-COUNT-3: vector.load %[[FLAT]]
// CHECK: vector.extract %[[FILLED]][0]
// CHECK: nvvm.convert.float.to.tf32
// CHECK: vector.store %{{.*}} {alignment = 16 : i64} : memref<144xf32, #gpu.address_space<workgroup>>, vector<4xf32>
// CHECK-NOT: ctc.load_weights
// CHECK: vector.load {{.*}} {alignment = 16 : i64}
// CHECK: ctc.contract %{{.*}} skew %{{.*}} : memref<{{.*}}#gpu.address_space<workgroup>>, memref<{{.*}}#gpu.address_space<workgroup>> into vector<32x4xf32>
func.func @layer(%x: memref<1x4x40xf32>, %p: memref<1x1x3x4x4xf32>, %y: memref<1x4x81xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x4x40xf32>, memref<1x1x3x4x4xf32>) outs(%y : memref<1x4x81xf32>)
    {stride = array<i64: 2>, kernel = #kernel, packed}
  return
}

// -----

#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [2], taps = [4], chunk_channels = 1,
                      workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

// Where a block takes several groups the channels of a position are neighbours, in the input and in the patch: a thread copies four
// of them, with one test for the position and one for the last channel. 18 positions of two vectors are 36 items.
// CHECK: gpu.func @groups(%[[X:.*]]: memref<2x16x12xf32, {{.*}}>, %{{.*}}
// CHECK: %[[FLAT:.*]] = memref.reinterpret_cast %[[X]]
// CHECK: %[[LAST:.*]] = arith.minsi %{{.*}}, %c8 : index
// CHECK: %[[LEFT:.*]] = arith.index_cast %[[LAST]]
// CHECK: %[[IN:.*]] = arith.cmpi ult, %{{.*}}, %c16_i32
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %{{.*}}, %[[LEFT]]
// CHECK: %[[LEGAL:.*]] = arith.andi %[[IN]], %[[EXISTS]]
// CHECK: arith.select %[[LEGAL]], %{{.*}}, %c0
// CHECK: %[[VALUE:.*]] = vector.load %[[FLAT]]{{.*}} {alignment = 16 : i64}
// CHECK: %[[FILLED:.*]] = arith.select %[[LEGAL]], %[[VALUE]]
// CHECK: arith.cmpi slt, %{{.*}}, %c36_i32
// CHECK: vector.store %[[FILLED]], %{{.*}} {alignment = 16 : i64} : memref<144xf32, #gpu.address_space<workgroup>>, vector<4xf32>
func.func @groups(%x: memref<2x16x12xf32>, %p: memref<2x1x4x1x8xf32>, %y: memref<2x32x12xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<2x16x12xf32>, memref<2x1x4x1x8xf32>) outs(%y : memref<2x32x12xf32>)
    {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, groups = 12 : i64,
     layout = #ctc.layout<channels_last>, precision = #ctc.precision<ieee>, kernel = #kernel, packed}
  return
}
