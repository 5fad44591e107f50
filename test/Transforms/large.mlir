// Geometry past 2^31: bases stay 64-bit index values, the grid has every block, and only offsets inside a tile are i32.
// RUN: ctc-opt %s --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [128], phases = [1], taps = [2], chunk_channels = 1,
  workers = [32, 1], worker_tile = [4, 1], stages = 1, source = explicit>

// CHECK: ctc.launch @ctc_kernels::@layer(%
// 1100000002 outputs of residue 0, so ceil(1100000002 / 128) boxes for each of 4 phases.
// CHECK-SAME: blocks_per_tile = 34375004 : i64
// CHECK: memref.global "private" constant @layer_phases0 : memref<4x5xi64, #gpu.address_space<global>>
// CHECK-SAME{LITERAL}: dense<[[1100000002, 2, 0, 0, 0], [1100000001, 1, 2, 0, 1], [1100000001, 1, 3, 0, 2], [1100000001, 1, 4, 0, 3]]>
// CHECK: gpu.func @layer
// CHECK: %[[SAFE:[0-9]+]] = arith.select %{{.*}} : index
// CHECK-NEXT: memref.load %{{.*}}[%[[SAFE]]] : memref<1100000001xf32, strided<[1]>, #gpu.address_space<global>>
// CHECK: vector.store %{{.*}}, %{{.*}}[%{{.*}}] {{.*}} : memref<4400000005xf32, strided<[1]>, #gpu.address_space<global>>, vector<1xf32>
func.func @layer(%x: tensor<1x1x1100000001xf32>, %w: tensor<1x1x5xf32>) -> tensor<1x1x4400000005xf32> {
  %init = tensor.empty() : tensor<1x1x4400000005xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x1x1100000001xf32>, tensor<1x1x5xf32>)
         outs(%init : tensor<1x1x4400000005xf32>) {stride = array<i64: 4>, kernel = #kernel} -> tensor<1x1x4400000005xf32>
  return %y : tensor<1x1x4400000005xf32>
}
