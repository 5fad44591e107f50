// A layer small enough to read at every rung of the ladder (docs/Ladder.md): 1-D, kernel 3, stride 2, ReLU.
func.func @small(%x: tensor<1x4x40xf32>, %w: tensor<4x4x3xf32>, %b: tensor<4xf32>) -> tensor<1x4x81xf32> {
  %init = tensor.empty() : tensor<1x4x81xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x4x40xf32>, tensor<4x4x3xf32>) bias(%b : tensor<4xf32>)
         outs(%init : tensor<1x4x81xf32>) {stride = array<i64: 2>, precision = #ctc.precision<ieee>} epilogue {
  ^bb0(%acc: f32):
    %zero = arith.constant 0.0 : f32
    %relu = arith.maximumf %acc, %zero : f32
    ctc.yield %relu : f32
  } -> tensor<1x4x81xf32>
  return %y : tensor<1x4x81xf32>
}
