// RUN: ctc-opt %s --ctc-select-kernel -split-input-file -verify-diagnostics
// RUN: not ctc-opt %s --ctc-select-kernel=chip=sm_70 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not ctc-opt %S/Inputs/ieee.mlir --ctc-select-kernel=family=wgmma 2>&1 | FileCheck %s --check-prefix=FAMILY

// CHIP: error: unknown chip 'sm_70', must be one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a
// FAMILY: error: 'ctc.conv_transpose' op unknown kernel family 'wgmma', must be one of simt, mma_sync, wgmma_ra
// RUN: not ctc-opt %S/Inputs/ieee.mlir --ctc-select-kernel=family=mma_sync 2>&1 | FileCheck %s --check-prefix=IEEE
// IEEE: error: 'ctc.conv_transpose' op family mma_sync cannot serve this layer: its precision is ieee, and matrix instructions round f32 to tf32; simt can
// RUN: not ctc-opt %S/Inputs/tf32x3.mlir --ctc-select-kernel=family=simt 2>&1 | FileCheck %s --check-prefix=TF32X3
// TF32X3: error: 'ctc.conv_transpose' op family simt cannot serve this layer: its precision is tf32x3, which takes matrix instructions; mma_sync can
// RUN: not ctc-opt %S/Inputs/ieee.mlir --ctc-select-kernel="family=wgmma_ra chip=sm_90a" 2>&1 | FileCheck %s --check-prefix=WGMMA-IEEE
// WGMMA-IEEE: error: 'ctc.conv_transpose' op family wgmma_ra cannot serve this layer: its precision is ieee, and wgmma takes f32 as tf32; simt can
// RUN: not ctc-opt %S/Inputs/tf32x3.mlir --ctc-select-kernel="family=wgmma_ra chip=sm_90a" 2>&1 | FileCheck %s --check-prefix=WGMMA-TF32X3
// WGMMA-TF32X3: error: 'ctc.conv_transpose' op family wgmma_ra cannot serve this layer: its precision is tf32x3, and wgmma takes f32 as tf32; mma_sync can
// RUN: not ctc-opt %S/Inputs/ieee.mlir --ctc-select-kernel="family=wgmma_ra chip=sm_100a" 2>&1 | FileCheck %s --check-prefix=WGMMA-CHIP
// WGMMA-CHIP: error: 'ctc.conv_transpose' op family wgmma_ra cannot serve this layer: sm_100a has no wgmma instructions, sm_90a has; simt can
func.func @ieee_in_matrix_instructions(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{kernel of family mma_sync cannot serve this layer: its precision is ieee, and matrix instructions round f32 to tf32; simt can}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {precision = #ctc.precision<ieee>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [2],
                               chunk_channels = 8, workers = [1, 1], worker_tile = [8, 16], stages = 2, source = explicit>}
         -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
func.func @chunk_of_half_a_step(%x: tensor<1x8x6xf16>, %w: tensor<8x4x2xf16>, %y: tensor<1x4x7xf16>) -> tensor<1x4x7xf16> {
  // expected-error@+1 {{chunk_channels is 8, must be a multiple of 16 for f16}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf16>, tensor<8x4x2xf16>) outs(%y : tensor<1x4x7xf16>)
         {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [2],
                               chunk_channels = 8, workers = [1, 1], worker_tile = [8, 16], stages = 2, source = explicit>}
         -> tensor<1x4x7xf16>
  return %0 : tensor<1x4x7xf16>
}

// -----
func.func @shares_of_half_a_step(%x: tensor<1x16x6xf16>, %w: tensor<16x16x2xf16>, %y: tensor<1x16x7xf16>) -> tensor<1x16x7xf16> {
  // expected-error@+1 {{chunk_channels is 16, must be a multiple of 32 for f16 and a split of 2}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x6xf16>, tensor<16x16x2xf16>) outs(%y : tensor<1x16x7xf16>)
         {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [2],
                               chunk_channels = 16, workers = [1, 1], worker_tile = [16, 16], stages = 2, split = 2, source = explicit>}
         -> tensor<1x16x7xf16>
  return %0 : tensor<1x16x7xf16>
}

// -----
func.func @sums_do_not_fit(%x: tensor<1x64x6xf32>, %w: tensor<64x256x2xf32>, %y: tensor<1x256x7xf32>) -> tensor<1x256x7xf32> {
  // expected-error@+1 {{the kernel's tiles take 262144 bytes of workgroup memory, at most}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x64x6xf32>, tensor<64x256x2xf32>) outs(%y : tensor<1x256x7xf32>)
         {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [1],
                               chunk_channels = 32, workers = [1, 2], worker_tile = [128, 64], stages = 2, split = 4, source = explicit>}
         -> tensor<1x256x7xf32>
  return %0 : tensor<1x256x7xf32>
}

// -----
func.func @registers_have_two_stages(%x: tensor<1x8x6xf16>, %w: tensor<8x4x2xf16>, %y: tensor<1x4x7xf16>) -> tensor<1x4x7xf16> {
  // expected-error@+1 {{stages is 3, must be 1 or 2 for a patch that is copied through registers}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf16>, tensor<8x4x2xf16>) outs(%y : tensor<1x4x7xf16>)
         {kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [2],
                               chunk_channels = 16, workers = [1, 1], worker_tile = [8, 16], stages = 3, source = explicit>}
         -> tensor<1x4x7xf16>
  return %0 : tensor<1x4x7xf16>
}

// -----
func.func @some_phases(%x: tensor<1x8x6xf32>, %w: tensor<8x4x4xf32>, %y: tensor<1x4x24xf32>) -> tensor<1x4x24xf32> {
  // expected-error@+1 {{phases is 2 in dimension 0, must be 1 or all 4 of them}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x4xf32>) outs(%y : tensor<1x4x24xf32>)
         {stride = array<i64: 4>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [2], taps = [4],
                               chunk_channels = 8, workers = [1, 1], worker_tile = [8, 16], stages = 2, source = explicit>}
         -> tensor<1x4x24xf32>
  return %0 : tensor<1x4x24xf32>
}

// -----
func.func @some_taps(%x: tensor<1x8x6xf32>, %w: tensor<8x4x4xf32>, %y: tensor<1x4x14xf32>) -> tensor<1x4x14xf32> {
  // expected-error@+1 {{taps is 2 in dimension 0 whose phases are grouped, must be the kernel size, 4}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x4xf32>) outs(%y : tensor<1x4x14xf32>)
         {stride = array<i64: 2>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [2], taps = [2],
                               chunk_channels = 8, workers = [1, 1], worker_tile = [8, 16], stages = 2, source = explicit>}
         -> tensor<1x4x14xf32>
  return %0 : tensor<1x4x14xf32>
}

// -----
func.func @taps_of_other_phases(%x: tensor<1x8x6xf32>, %w: tensor<8x16x3xf32>, %y: tensor<1x16x13xf32>) -> tensor<1x16x13xf32> {
  // expected-error@+1 {{taps is 3 in dimension 0 whose phases are not grouped, must be at most the taps of a phase, 2}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x16x3xf32>) outs(%y : tensor<1x16x13xf32>)
         {stride = array<i64: 2>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [8], phases = [1], taps = [3], clip = false,
                               chunk_channels = 8, workers = [1, 1], worker_tile = [8, 16], stages = 2, source = explicit>}
         -> tensor<1x16x13xf32>
  return %0 : tensor<1x16x13xf32>
}

// -----
func.func @tiles_do_not_fit(%x: tensor<1x64x600xf32>, %w: tensor<64x64x64xf32>, %y: tensor<1x64x663xf32>) -> tensor<1x64x663xf32> {
  // expected-error@+1 {{bytes of workgroup memory, at most}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x64x600xf32>, tensor<64x64x64xf32>) outs(%y : tensor<1x64x663xf32>)
         {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [512], phases = [1], taps = [64],
                               chunk_channels = 64, workers = [128, 8],
                               worker_tile = [4, 8], stages = 1, source = explicit>}
         -> tensor<1x64x663xf32>
  return %0 : tensor<1x64x663xf32>
}

// -----
func.func @warpgroups_of_another_chip(%x: tensor<1x8x63xf32>, %w: tensor<8x8x2xf32>, %y: tensor<1x8x64xf32>) -> tensor<1x8x64xf32> {
  // expected-error@+1 {{kernel of family wgmma_ra cannot serve this layer: sm_80 has no wgmma instructions, sm_90a has; simt, mma_sync can}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x63xf32>, tensor<8x8x2xf32>) outs(%y : tensor<1x8x64xf32>)
         {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2],
                               chunk_channels = 8, workers = [4, 1], worker_tile = [16, 8], stages = 2, source = explicit>}
         -> tensor<1x8x64xf32>
  return %0 : tensor<1x8x64xf32>
}

// -----
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  func.func @warpgroups_in_tf32x3(%x: tensor<1x8x63xf32>, %w: tensor<8x8x2xf32>, %y: tensor<1x8x64xf32>) -> tensor<1x8x64xf32> {
    // expected-error@+1 {{kernel of family wgmma_ra cannot serve this layer: its precision is tf32x3, and wgmma takes f32 as tf32; mma_sync can}}
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x63xf32>, tensor<8x8x2xf32>) outs(%y : tensor<1x8x64xf32>)
           {precision = #ctc.precision<tf32x3>,
            kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2],
                                 chunk_channels = 8, workers = [4, 1], worker_tile = [16, 8], stages = 2, source = explicit>}
           -> tensor<1x8x64xf32>
    return %0 : tensor<1x8x64xf32>
  }
}

// -----
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  func.func @warpgroups_of_half_a_step(%x: tensor<1x16x63xbf16>, %w: tensor<16x8x2xbf16>, %y: tensor<1x8x64xbf16>) -> tensor<1x8x64xbf16> {
    // expected-error@+1 {{chunk_channels is 8, must be a multiple of 16 for bf16}}
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x16x63xbf16>, tensor<16x8x2xbf16>) outs(%y : tensor<1x8x64xbf16>)
           {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2],
                                 chunk_channels = 8, workers = [4, 1], worker_tile = [16, 8], stages = 2, source = explicit>}
           -> tensor<1x8x64xbf16>
    return %0 : tensor<1x8x64xbf16>
  }
}

// -----
func.func @columns_of_positions_in_channels_last(%x: tensor<1x20x8xf32>, %w: tensor<8x16x4xf32>, %y: tensor<1x42x16xf32>) -> tensor<1x42x16xf32> {
  // expected-error@+1 {{lanes is positions, must be channels for a layer that is channels_last}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x20x8xf32>, tensor<8x16x4xf32>) outs(%y : tensor<1x42x16xf32>)
         {stride = array<i64: 2>, layout = #ctc.layout<channels_last>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2],
                               chunk_channels = 8, workers = [1, 1], worker_tile = [16, 16], stages = 2, source = explicit>}
         -> tensor<1x42x16xf32>
  return %0 : tensor<1x42x16xf32>
}

// -----
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  func.func @more_sums_than_registers(%x: tensor<1x8x1023xf32>, %w: tensor<8x256x2xf32>, %y: tensor<1x256x1024xf32>) -> tensor<1x256x1024xf32> {
    // expected-error@+1 {{a lane holds 128 sums, phases times worker_tile over 32, at most 96 are legal in a block of 512 threads on sm_90a}}
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x1023xf32>, tensor<8x256x2xf32>) outs(%y : tensor<1x256x1024xf32>)
           {kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [256], phases = [1], taps = [2],
                                 chunk_channels = 8, workers = [16, 1], worker_tile = [16, 256], stages = 2, source = explicit>}
           -> tensor<1x256x1024xf32>
    return %0 : tensor<1x256x1024xf32>
  }
}

// -----

// expected-error@+1 {{'ctc.spilled' is [1], must be an array of #ctc.kernel}}
func.func @spilled(%x: tensor<1x8x16xf32>, %w: tensor<8x8x3xf32>, %y: tensor<1x8x18xf32>) -> tensor<1x8x18xf32> attributes {ctc.spilled = [1]} {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x16xf32>, tensor<8x8x3xf32>) outs(%y : tensor<1x8x18xf32>) {} -> tensor<1x8x18xf32>
  return %0 : tensor<1x8x18xf32>
}
