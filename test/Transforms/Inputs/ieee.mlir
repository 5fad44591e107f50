func.func @layer(%x: tensor<1x8x6xf32>, %w: tensor<8x4x2xf32>, %y: tensor<1x4x7xf32>) -> tensor<1x4x7xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x8x6xf32>, tensor<8x4x2xf32>) outs(%y : tensor<1x4x7xf32>)
         {precision = #ctc.precision<ieee>} -> tensor<1x4x7xf32>
  return %0 : tensor<1x4x7xf32>
}
