// A scalar operand of rank 0, a NaN constant, and a private function that holds no layer.
func.func private @unrelated()
func.func @layer(%x: tensor<2x3x5xf32>, %w: tensor<3x4x3xf32>, %scale: tensor<f32>) -> tensor<2x4x11xf32> {
  %init = tensor.empty() : tensor<2x4x11xf32>
  %y = ctc.conv_transpose ins(%x, %w : tensor<2x3x5xf32>, tensor<3x4x3xf32>) extras(%scale : tensor<f32>)
         outs(%init : tensor<2x4x11xf32>) {stride = array<i64: 2>, extra_maps = [affine_map<(n, c, x) -> ()>]} epilogue {
  ^bb0(%acc: f32, %s: f32):
    %nan = arith.constant 0x7FC00000 : f32
    %kept = arith.minnumf %acc, %nan : f32
    %y = arith.mulf %kept, %s : f32
    ctc.yield %y : f32
  } -> tensor<2x4x11xf32>
  return %y : tensor<2x4x11xf32>
}
