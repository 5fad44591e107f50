// Two layers, of which the first is too large for 40000 bytes.
func.func @large(%x: tensor<1x8x512xf32>, %w: tensor<8x8x2xf32>) -> tensor<1x8x1024xf32> {
  %init = tensor.empty() : tensor<1x8x1024xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x512xf32>, tensor<8x8x2xf32>)
         outs(%init : tensor<1x8x1024xf32>) {stride = array<i64: 2>} -> tensor<1x8x1024xf32>
  return %y : tensor<1x8x1024xf32>
}
func.func @small(%x: tensor<1x8x4xf32>, %w: tensor<8x8x2xf32>) -> tensor<1x8x8xf32> {
  %init = tensor.empty() : tensor<1x8x8xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x8x2xf32>)
         outs(%init : tensor<1x8x8xf32>) {stride = array<i64: 2>} -> tensor<1x8x8xf32>
  return %y : tensor<1x8x8xf32>
}
