// An entry on tensors becomes an entry on buffers, in the order of the ABI, with its prepare function beside it.
// RUN: ctc-opt %s --ctc-bufferize | FileCheck %s

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [1], chunk_channels = 4,
                      workers = [32, 1], worker_tile = [1, 4],
                      stages = 1, source = explicit>

// 6 input channels are rounded to the chunk of 4, 5 output channels to two tiles of 4.
// CHECK: func.func @layer__prepare(%[[W:.*]]: memref<6x5x3xf32>, %[[PACKED:.*]]: memref<1x2x3x8x4xf32>)
// CHECK-NEXT: ctc.pack_weights %[[W]] into %[[PACKED]] {groups = 1 : i64, round_tf32, tap_step = array<i64: 2>}
// CHECK: func.func @layer(%[[X:.*]]: memref<2x6x4xf32>, %[[P:.*]]: memref<1x2x3x8x4xf32>, %[[B:.*]]: memref<5xf32>, %[[Z:.*]]: memref<2x5x9xf32>, %[[Y:.*]]: memref<2x5x9xf32>)
// CHECK-NEXT: ctc.conv_transpose ins(%[[X]], %[[P]] : {{.*}}) bias(%[[B]] : {{.*}}) extras(%[[Z]] : {{.*}}) outs(%[[Y]] : {{.*}})
// CHECK-SAME: packed
// CHECK: arith.addf
// CHECK: return{{$}}
func.func @layer(%x: tensor<2x6x4xf32>, %w: tensor<6x5x3xf32>, %b: tensor<5xf32>, %z: tensor<2x5x9xf32>) -> tensor<2x5x9xf32> {
  %init = tensor.empty() : tensor<2x5x9xf32>
  %0 = ctc.conv_transpose ins(%x, %w : tensor<2x6x4xf32>, tensor<6x5x3xf32>) bias(%b : tensor<5xf32>)
         extras(%z : tensor<2x5x9xf32>) outs(%init : tensor<2x5x9xf32>)
         {stride = array<i64: 2>, kernel = #kernel, extra_maps = [affine_map<(n, c, l) -> (n, c, l)>]} epilogue {
  ^bb0(%acc: f32, %add: f32):
    %sum = arith.addf %acc, %add : f32
    ctc.yield %sum : f32
  } -> tensor<2x5x9xf32>
  return %0 : tensor<2x5x9xf32>
}

// With exact f32 products nothing is rounded while packing.
// CHECK: func.func @exact__prepare
// CHECK-NEXT: ctc.pack_weights
// CHECK-NOT: round_tf32
// CHECK: func.func @exact(
func.func @exact(%x: tensor<?x4x4xf32>, %w: tensor<4x4x1xf32>, %y: tensor<?x4x4xf32>) -> tensor<?x4x4xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<?x4x4xf32>, tensor<4x4x1xf32>) outs(%y : tensor<?x4x4xf32>)
         {kernel = #kernel, precision = #ctc.precision<ieee>} -> tensor<?x4x4xf32>
  return %0 : tensor<?x4x4xf32>
}

#groups = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [1], taps = [1], chunk_channels = 1,
                      workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 4>

// The 6 groups are two tiles of 4 groups, each with two channels.
// CHECK: func.func @groups__prepare(%[[W:.*]]: memref<6x2x3xf32>, %[[PACKED:.*]]: memref<2x1x3x1x8xf32>)
// CHECK-NEXT: ctc.pack_weights %[[W]] into %[[PACKED]] {group_tile = 4 : i64, groups = 6 : i64, round_tf32, tap_step = array<i64: 1>}
func.func @groups(%x: tensor<1x16x6xf32>, %w: tensor<6x2x3xf32>, %y: tensor<1x18x12xf32>) -> tensor<1x18x12xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x6xf32>, tensor<6x2x3xf32>) outs(%y : tensor<1x18x12xf32>)
         {groups = 6 : i64, layout = #ctc.layout<channels_last>, kernel = #groups} -> tensor<1x18x12xf32>
  return %0 : tensor<1x18x12xf32>
}
