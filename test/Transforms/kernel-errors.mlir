// Kernels without what the passes between ctc-tile and ctc-to-nvvm go by.
// RUN: ctc-opt %s --ctc-pipeline -split-input-file -verify-diagnostics
// RUN: ctc-opt %s --ctc-vectorize -split-input-file -verify-diagnostics

#kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [7], phases = [1], taps = [1], chunk_channels = 8, workers = [32, 1], worker_tile = [1, 4], stages = 1, source = explicit>

gpu.module @kernels {
  // expected-error-re@+1 {{has {{a kernel and no ctc.window with one size for each of its box|no workgroup buffer, run ctc-pipeline first}}}}
  gpu.func @f() kernel attributes {ctc.kernel = #kernel} {
    gpu.return
  }
}

// -----
func.func @not_tiled(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  // expected-error@+1 {{is not in a kernel yet, run ctc-tile first}}
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}
