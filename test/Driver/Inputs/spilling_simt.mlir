// 64 sums a thread, whose registers do not fit four blocks of sm_120a.
func.func @layer(%x: tensor<128x3x16x32x32xf32>, %w: tensor<3x16x3x3x3xf32>, %b: tensor<16xf32>) -> tensor<128x16x31x63x63xf32> {
  %y = tensor.empty() : tensor<128x16x31x63x63xf32>
  %0 = ctc.conv_transpose ins(%x, %w : tensor<128x3x16x32x32xf32>, tensor<3x16x3x3x3xf32>) bias(%b : tensor<16xf32>) outs(%y : tensor<128x16x31x63x63xf32>)
         {stride = array<i64: 2, 2, 2>, padding_low = array<i64: 1, 1, 1>, padding_high = array<i64: 1, 1, 1>,
          kernel = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [4, 2, 32], phases = [1, 1, 2], taps = [2, 2, 3], chunk_channels = 3,
                               workers = [64, 2], worker_tile = [4, 8], stages = 1, source = explicit>} -> tensor<128x16x31x63x63xf32>
  return %0 : tensor<128x16x31x63x63xf32>
}
