// 16 channels, for warpgroups of sm_90a (docs/Ladder.md): 1-D, kernel 4, stride 2, 64 positions of both phases in one block.
module attributes {ctc.target = #ctc.target<"sm_90a">} {
  func.func @warpgroups(%x: tensor<1x16x60xf32>, %w: tensor<16x16x4xf32>) -> tensor<1x16x120xf32> {
    %init = tensor.empty() : tensor<1x16x120xf32>
    %y = ctc.conv_transpose ins(%x, %w : tensor<1x16x60xf32>, tensor<16x16x4xf32>)
           outs(%init : tensor<1x16x120xf32>) {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>,
             kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [2], taps = [4],
                                  chunk_channels = 8, workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false,
                                  source = explicit>} -> tensor<1x16x120xf32>
    return %y : tensor<1x16x120xf32>
  }
}
