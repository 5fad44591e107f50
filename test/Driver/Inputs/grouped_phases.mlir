// Nine grouped phases of unequal tap counts, by two blocks along each dimension.
#kernel = #ctc.kernel<family = mma_sync, lanes = channels, batch = 1, box = [4, 4], phases = [3, 3], taps = [4, 4],
                      chunk_channels = 16, workers = [1, 1], worker_tile = [16, 8], stages = 2, clip = false,
                      source = explicit>
func.func @layer(%x: tensor<1x7x6x24xf32>, %w: tensor<24x12x4x4xf32>) -> tensor<1x20x18x12xf32> {
  %init = tensor.empty() : tensor<1x20x18x12xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x7x6x24xf32>, tensor<24x12x4x4xf32>) outs(%init : tensor<1x20x18x12xf32>)
    {stride = array<i64: 3, 3>, padding_low = array<i64: 1, 0>, padding_high = array<i64: 1, 1>, layout = #ctc.layout<channels_last>,
     kernel = #kernel} -> tensor<1x20x18x12xf32>
  return %y : tensor<1x20x18x12xf32>
}
