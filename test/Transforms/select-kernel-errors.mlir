// RUN: ctc-opt %s --ctc-select-kernel -split-input-file -verify-diagnostics
// RUN: not ctc-opt %s --ctc-select-kernel=chip=sm_70 2>&1 | FileCheck %s --check-prefix=CHIP
// RUN: not ctc-opt %s --ctc-select-kernel=family=wgmma 2>&1 | FileCheck %s --check-prefix=FAMILY

// CHIP: error: unknown chip 'sm_70', must be one of sm_80, sm_86, sm_89, sm_90a, sm_100a, sm_120a
// FAMILY: error: 'ctc.conv_transpose' op unknown kernel family 'wgmma', must be one of simt
func.func @no_family_for_tf32x3(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{precision is tf32x3, which no kernel family serves on sm_80; simt serves tf32 and ieee}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {precision = #ctc.precision<tf32x3>} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}

// -----
func.func @tiles_do_not_fit(%x: tensor<1x64x600xf32>, %w: tensor<64x64x64xf32>, %y: tensor<1x64x663xf32>) -> tensor<1x64x663xf32> {
  // expected-error@+1 {{bytes of workgroup memory, at most}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x64x600xf32>, tensor<64x64x64xf32>) outs(%y : tensor<1x64x663xf32>)
         {kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [512], taps = [64],
                               chunk_channels = 64, threads_positions = 128, threads_channels = 8,
                               thread_positions = 4, thread_channels = 8, stages = 1, source = explicit>}
         -> tensor<1x64x663xf32>
  return %0 : tensor<1x64x663xf32>
}
