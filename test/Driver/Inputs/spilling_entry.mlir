// Two layers of one kind; a table has a kernel for the first of them.
func.func @layer(%x: tensor<2x32x16x16xf32>, %w: tensor<32x16x4x4xf32>) -> tensor<2x16x32x32xf32> {
  %y = tensor.empty() : tensor<2x16x32x32xf32>
  %0 = ctc.conv_transpose ins(%x, %w : tensor<2x32x16x16xf32>, tensor<32x16x4x4xf32>) outs(%y : tensor<2x16x32x32xf32>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>} -> tensor<2x16x32x32xf32>
  return %0 : tensor<2x16x32x32xf32>
}
func.func @other(%x: tensor<3x32x16x16xf32>, %w: tensor<32x16x4x4xf32>) -> tensor<3x16x32x32xf32> {
  %y = tensor.empty() : tensor<3x16x32x32xf32>
  %0 = ctc.conv_transpose ins(%x, %w : tensor<3x32x16x16xf32>, tensor<32x16x4x4xf32>) outs(%y : tensor<3x16x32x32xf32>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>} -> tensor<3x16x32x32xf32>
  return %0 : tensor<3x16x32x32xf32>
}
