// With one stage two barriers stand around each chunk's multiplication; with two the buffers alternate and one is enough. So it is
// where there is one chunk.
// RUN: ctc-opt %s --ctc-tile --ctc-implicit-im2col --ctc-pipeline --canonicalize --cse | FileCheck %s

#one = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                   workers = [32, 1], worker_tile = [1, 4],
                   stages = 1, source = explicit>
#two = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [1], taps = [2], chunk_channels = 4,
                   workers = [32, 1], worker_tile = [1, 4],
                   stages = 2, source = explicit>

// CHECK: gpu.func @one_stage(
// CHECK-SAME: workgroup(%[[MEMORY:.*]] : memref<[[BYTES:[0-9]+]]xi8, #gpu.address_space<workgroup>> {llvm.align = 16 : i64})
// CHECK: vector.store
// CHECK: gpu.barrier
// CHECK-NEXT: ctc.contract
// CHECK-NEXT: gpu.barrier
// CHECK: ctc.store_tile
func.func @one_stage(%x: memref<1x8x40xf32>, %p: memref<1x1x3x8x4xf32>, %y: memref<1x4x81xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x8x40xf32>, memref<1x1x3x8x4xf32>) outs(%y : memref<1x4x81xf32>)
    {stride = array<i64: 2>, kernel = #one, packed}
  return
}

// CHECK: gpu.func @two_stages(
// CHECK: workgroup(
// CHECK: vector.store
// CHECK: gpu.barrier
// CHECK-NEXT: ctc.contract
// CHECK-NOT: gpu.barrier
// CHECK: ctc.store_tile
func.func @two_stages(%x: memref<1x8x40xf32>, %p: memref<1x1x3x8x4xf32>, %y: memref<1x4x81xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x8x40xf32>, memref<1x1x3x8x4xf32>) outs(%y : memref<1x4x81xf32>)
    {stride = array<i64: 2>, kernel = #two, packed}
  return
}

#only = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [64], phases = [2], taps = [3], chunk_channels = 8,
                    workers = [32, 1], worker_tile = [2, 4], stages = 1, source = explicit>

// Grouped phases walk all taps at once, and the chunk holds all 8 channels.
// CHECK: gpu.func @one_chunk(
// CHECK: gpu.barrier
// CHECK: ctc.contract
// CHECK-NOT: gpu.barrier
// CHECK: ctc.store_tile
func.func @one_chunk(%x: memref<1x8x40xf32>, %p: memref<1x1x3x8x4xf32>, %y: memref<1x4x81xf32>) {
  ctc.conv_transpose ins(%x, %p : memref<1x8x40xf32>, memref<1x1x3x8x4xf32>) outs(%y : memref<1x4x81xf32>)
    {stride = array<i64: 2>, kernel = #only, packed}
  return
}
