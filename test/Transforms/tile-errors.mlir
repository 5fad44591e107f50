// RUN: ctc-opt %s --ctc-tile -split-input-file -verify-diagnostics

func.func @not_packed(%x: memref<1x8x6xf32>, %w: memref<8x4x2xf32>, %y: memref<1x4x7xf32>) {
  // expected-error@+1 {{has no kernel and packed weights, run ctc-select-kernel and ctc-bufferize first}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32>, memref<8x4x2xf32>) outs(%y : memref<1x4x7xf32>)
  return
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

func.func @operand_order(%y: memref<1x4x7xf32>, %w: memref<1x1x2x8x4xf32>, %x: memref<1x8x6xf32>) {
  // expected-error@+1 {{must take the arguments of a func.func in their order: input, packed weights, bias, extra operands, output}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32>, memref<1x1x2x8x4xf32>) outs(%y : memref<1x4x7xf32>)
    {kernel = #kernel, packed}
  return
}

// -----
#large = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [1024], phases = [1], taps = [1], chunk_channels = 16, workers = [128, 1], worker_tile = [8, 16], stages = 1, source = explicit>

func.func @does_not_fit(%x: memref<1x8x6xf32>, %w: memref<1x1x2x16x16xf32>, %y: memref<1x4x7xf32>) {
  // expected-error@+1 {{the kernel's tiles take 66560 bytes of workgroup memory, at most 49152 are available on sm_80; use a smaller box, taps or chunk_channels}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32>, memref<1x1x2x16x16xf32>) outs(%y : memref<1x4x7xf32>)
    {kernel = #large, packed}
  return
}

// -----
#some = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [2], taps = [4], chunk_channels = 1, workers = [32, 1], worker_tile = [1, 1], stages = 1, source = explicit>

func.func @some_phases(%x: memref<1x1x8xf32>, %w: memref<1x1x4x1x1xf32>, %y: memref<1x1x25xf32>) {
  // expected-error@+1 {{phases is 2 in dimension 0, must be 1 or all 3 of them}}
  ctc.conv_transpose ins(%x, %w : memref<1x1x8xf32>, memref<1x1x4x1x1xf32>) outs(%y : memref<1x1x25xf32>)
    {stride = array<i64: 3>, kernel = #some, packed}
  return
}

// -----
#deep = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [32], phases = [2], taps = [512], chunk_channels = 64, workers = [32, 1], worker_tile = [1, 1], stages = 1, source = explicit>

func.func @unrolls(%x: memref<1x64x8xf32>, %w: memref<1x1x512x64x1xf32>, %y: memref<1x1x526xf32>) {
  // expected-error@+1 {{the kernel unrolls 32768 multiply-adds, chunk_channels times worker_tile times the taps of grouped phases, at most 16384 are legal}}
  ctc.conv_transpose ins(%x, %w : memref<1x64x8xf32>, memref<1x1x512x64x1xf32>) outs(%y : memref<1x1x526xf32>)
    {stride = array<i64: 2>, kernel = #deep, packed}
  return
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [1], taps = [1], chunk_channels = 1, workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

func.func @groups_first(%x: memref<1x8x16xf32>, %w: memref<1x1x1x1x8xf32>, %y: memref<1x8x16xf32>) {
  // expected-error@+1 {{the kernel takes 8 groups per block, must be 1 in channels_first}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x16xf32>, memref<1x1x1x1x8xf32>) outs(%y : memref<1x8x16xf32>)
    {groups = 8 : i64, kernel = #kernel, packed}
  return
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [1], taps = [1], chunk_channels = 1, workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

func.func @groups_channels(%x: memref<1x16x8xf32>, %w: memref<1x2x1x1x8xf32>, %y: memref<1x16x16xf32>) {
  // expected-error@+1 {{the kernel takes 8 groups per block and 1 channels of each, must take all 2}}
  ctc.conv_transpose ins(%x, %w : memref<1x16x8xf32>, memref<1x2x1x1x8xf32>) outs(%y : memref<1x16x16xf32>)
    {groups = 8 : i64, layout = #ctc.layout<channels_last>, kernel = #kernel, packed}
  return
}

// -----
#kernel = #ctc.kernel<family = simt, lanes = channels, batch = 1, box = [16], phases = [1], taps = [1], chunk_channels = 1, workers = [16, 2], worker_tile = [1, 4], stages = 1, source = explicit, groups = 8>

func.func @groups_chunk(%x: memref<1x16x16xf32>, %w: memref<1x1x1x2x8xf32>, %y: memref<1x16x8xf32>) {
  // expected-error@+1 {{the kernel takes 8 groups per block and chunk_channels is 1, must be all 2 input channels of a group}}
  ctc.conv_transpose ins(%x, %w : memref<1x16x16xf32>, memref<1x1x1x2x8xf32>) outs(%y : memref<1x16x8xf32>)
    {groups = 8 : i64, layout = #ctc.layout<channels_last>, kernel = #kernel, packed}
  return
}
