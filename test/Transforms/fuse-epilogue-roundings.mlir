// RUN: ctc-opt %s --ctc-fuse-epilogue --split-input-file | FileCheck %s --check-prefixes=CHECK,KEEP
// RUN: ctc-opt %s --ctc-fuse-epilogue=drop-roundings --split-input-file | FileCheck %s --check-prefixes=CHECK,DROP

// The layer's f16 result is rounded before its consumers see it, and they
// compute in f16. Each rounding appears once.

// CHECK-LABEL: func @chain
// KEEP: ^bb0(%[[ACC:.*]]: f32, %[[Z:.*]]: f16):
// KEEP-NEXT:   %[[R:.*]] = arith.truncf %[[ACC]] : f32 to f16
// KEEP-NEXT:   %[[A:.*]] = arith.addf %[[R]], %[[Z]] : f16
// KEEP-NEXT:   %[[T:.*]] = math.tanh %[[A]] : f16
// KEEP-NEXT:   %[[U:.*]] = arith.extf %[[T]] : f16 to f32
// KEEP-NEXT:   ctc.yield %[[U]] : f32
// DROP: ^bb0(%[[ACC:.*]]: f32, %[[Z:.*]]: f16):
// DROP-NEXT:   %[[W:.*]] = arith.extf %[[Z]] : f16 to f32
// DROP-NEXT:   %[[A:.*]] = arith.addf %[[ACC]], %[[W]] : f32
// DROP-NEXT:   %[[T:.*]] = math.tanh %[[A]] : f32
// DROP-NEXT:   ctc.yield %[[T]] : f32
func.func @chain(%x: tensor<1x2x4xf16>, %w: tensor<2x3x1xf16>, %z: tensor<1x3x4xf16>, %init: tensor<1x3x4xf16>) -> tensor<1x3x4xf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf16>, tensor<2x3x1xf16>)
         outs(%init : tensor<1x3x4xf16>) -> tensor<1x3x4xf16>
  %0 = arith.addf %y, %z : tensor<1x3x4xf16>
  %1 = math.tanh %0 : tensor<1x3x4xf16>
  return %1 : tensor<1x3x4xf16>
}

// -----

// A detour through f32 keeps its one rounding at each end.

// CHECK-LABEL: func @through_f32
// KEEP: ^bb0(%[[ACC:.*]]: f32):
// KEEP-NEXT:   %[[R:.*]] = arith.truncf %[[ACC]] : f32 to bf16
// KEEP-NEXT:   %[[W:.*]] = arith.extf %[[R]] : bf16 to f32
// KEEP-NEXT:   %[[E:.*]] = math.exp %[[W]] : f32
// KEEP-NEXT:   %[[N:.*]] = arith.truncf %[[E]] : f32 to bf16
// KEEP-NEXT:   %[[U:.*]] = arith.extf %[[N]] : bf16 to f32
// KEEP-NEXT:   ctc.yield %[[U]] : f32
// DROP: ^bb0(%[[ACC:.*]]: f32):
// DROP-NEXT:   %[[E:.*]] = math.exp %[[ACC]] : f32
// DROP-NEXT:   ctc.yield %[[E]] : f32
func.func @through_f32(%x: tensor<1x2x4xbf16>, %w: tensor<2x3x1xbf16>, %init: tensor<1x3x4xbf16>) -> tensor<1x3x4xbf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xbf16>, tensor<2x3x1xbf16>)
         outs(%init : tensor<1x3x4xbf16>) -> tensor<1x3x4xbf16>
  %0 = tosa.cast %y : (tensor<1x3x4xbf16>) -> tensor<1x3x4xf32>
  %1 = tosa.exp %0 : (tensor<1x3x4xf32>) -> tensor<1x3x4xf32>
  %2 = tosa.cast %1 : (tensor<1x3x4xf32>) -> tensor<1x3x4xbf16>
  return %2 : tensor<1x3x4xbf16>
}

// -----

// The flag contract on the consumer's arithmetic allows it without the option.

// CHECK-LABEL: func @contract
// CHECK: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT:   %[[C:.*]] = arith.constant 2.000000e+00 : f32
// CHECK-NEXT:   %[[M:.*]] = arith.mulf %[[ACC]], %[[C]] fastmath<contract> : f32
// CHECK-NEXT:   ctc.yield %[[M]] : f32
#id = affine_map<(n, c, x) -> (n, c, x)>
func.func @contract(%x: tensor<1x2x4xf16>, %w: tensor<2x3x1xf16>, %init: tensor<1x3x4xf16>) -> tensor<1x3x4xf16> {
  %two = arith.constant 2.0 : f16
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x2x4xf16>, tensor<2x3x1xf16>)
         outs(%init : tensor<1x3x4xf16>) -> tensor<1x3x4xf16>
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
         ins(%y : tensor<1x3x4xf16>) outs(%init : tensor<1x3x4xf16>) {
  ^bb0(%a: f16, %o: f16):
    %m = arith.mulf %a, %two fastmath<contract> : f16
    linalg.yield %m : f16
  } -> tensor<1x3x4xf16>
  return %z : tensor<1x3x4xf16>
}
