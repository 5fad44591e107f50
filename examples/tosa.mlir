// A decoder step as TOSA has it: up-scaling by 2, a skip connection, ReLU.
// channels last, weight (Cout, KH, KW, Cin).
func.func @decoder_step(%x: tensor<1x8x8x4xf32>, %w: tensor<4x2x2x4xf32>, %b: tensor<4xf32>, %skip: tensor<1x16x16x4xf32>)
    -> tensor<1x16x16x4xf32> {
  %zero = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %y = tosa.transpose_conv2d %x, %w, %b, %zero, %zero
         {acc_type = f32, out_pad = array<i64: 0, 0, 0, 0>, stride = array<i64: 2, 2>}
         : (tensor<1x8x8x4xf32>, tensor<4x2x2x4xf32>, tensor<4xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x16x16x4xf32>
  %sum = tosa.add %y, %skip : (tensor<1x16x16x4xf32>, tensor<1x16x16x4xf32>) -> tensor<1x16x16x4xf32>
  %relu = tosa.clamp %sum {min_val = 0.0 : f32, max_val = 3.40282347E+38 : f32} : (tensor<1x16x16x4xf32>) -> tensor<1x16x16x4xf32>
  return %relu : tensor<1x16x16x4xf32>
}
