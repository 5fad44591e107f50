// Four warps share a tile of 16 positions by 64 channels, three chunks of which the last is not full.
func.func @split(%x: tensor<1x80x20xf32>, %w: tensor<80x64x4xf32>, %y: tensor<1x64x42xf32>) -> tensor<1x64x42xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x80x20xf32>, tensor<80x64x4xf32>) outs(%y : tensor<1x64x42xf32>)
         {stride = array<i64: 2>,
          kernel = #ctc.kernel<family = mma_sync, lanes = positions, batch = 1, box = [16], phases = [1], taps = [2], chunk_channels = 32,
                               workers = [1, 1], worker_tile = [16, 64], stages = 3, split = 4, source = explicit>}
         -> tensor<1x64x42xf32>
  return %0 : tensor<1x64x42xf32>
}
