// Two layers in one module.
func.func @up(%x: tensor<1x4x4xf32>, %w: tensor<4x4x2xf32>)
    -> tensor<1x4x5xf32> {
  %e = tensor.empty() : tensor<1x4x5xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x4xf32>, tensor<4x4x2xf32>)
      outs(%e : tensor<1x4x5xf32>) {stride = array<i64: 1>,
      dilation = array<i64: 1>, output_padding = array<i64: 0>,
      padding_low = array<i64: 0>, padding_high = array<i64: 0>}
      -> tensor<1x4x5xf32>
  return %y : tensor<1x4x5xf32>
}
func.func @up2(%x: tensor<1x4x4xf32>, %w: tensor<4x4x2xf32>)
    -> tensor<1x4x5xf32> {
  %e = tensor.empty() : tensor<1x4x5xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x4xf32>, tensor<4x4x2xf32>)
      outs(%e : tensor<1x4x5xf32>) {stride = array<i64: 1>,
      dilation = array<i64: 1>, output_padding = array<i64: 0>,
      padding_low = array<i64: 0>, padding_high = array<i64: 0>}
      -> tensor<1x4x5xf32>
  return %y : tensor<1x4x5xf32>
}
