// The first up-scaling layer of the mask decoder of SAM ("Segment Anything"): 256 channels on a 64 x 64 grid become 64
// channels on 128 x 128, kernel 2, stride 2, then a bias and GELU in its exact form, x/2 * (1 + erf(x / sqrt 2)).
//
//   ctc compile examples/sam_upscale.mlir -o sam_upscale.ctcb --chip=sm_80,sm_90a
func.func @sam_upscale(%x: tensor<1x256x64x64xf32>, %w: tensor<256x64x2x2xf32>,
                       %b: tensor<64xf32>) -> tensor<1x64x128x128xf32> {
  %init = tensor.empty() : tensor<1x64x128x128xf32>
  %y = ctc.conv_transpose
         ins(%x, %w : tensor<1x256x64x64xf32>, tensor<256x64x2x2xf32>)
         bias(%b : tensor<64xf32>)
         outs(%init : tensor<1x64x128x128xf32>)
         {stride = array<i64: 2, 2>} epilogue {
  ^bb0(%acc: f32):
    %half = arith.constant 0.5 : f32
    %one = arith.constant 1.0 : f32
    %sqrt_half = arith.constant 0.707106769 : f32
    %scaled = arith.mulf %acc, %sqrt_half : f32
    %erf = math.erf %scaled : f32
    %gate = arith.addf %erf, %one : f32
    %halved = arith.mulf %acc, %half : f32
    %gelu = arith.mulf %halved, %gate : f32
    ctc.yield %gelu : f32
  } -> tensor<1x64x128x128xf32>
  return %y : tensor<1x64x128x128xf32>
}
