// 16 channels, for tensor cores (docs/Ladder.md): 1-D, kernel 4, stride 2, both phases in one block.
func.func @phases(%x: tensor<1x16x20xf32>, %w: tensor<16x16x4xf32>) -> tensor<1x16x40xf32> {
  %init = tensor.empty() : tensor<1x16x40xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x16x20xf32>, tensor<16x16x4xf32>)
         outs(%init : tensor<1x16x40xf32>) {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>,
           kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [24], phases = [2], taps = [4],
                                chunk_channels = 8, workers = [1, 1], worker_tile = [24, 16], stages = 3, clip = false,
                                source = explicit>} -> tensor<1x16x40xf32>
  return %y : tensor<1x16x40xf32>
}
