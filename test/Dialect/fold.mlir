// RUN: ctc-opt %s --canonicalize --split-input-file | FileCheck %s

// An empty output needs no computation: any tensor of its shape will do.

// CHECK-LABEL: func @empty_batch
// CHECK-SAME: %[[INIT:[a-z0-9]*]]: tensor<0x4x6xf32>)
// CHECK-NEXT: return %[[INIT]]
func.func @empty_batch(%x: tensor<0x8x4xf32>, %w: tensor<8x4x3xf32>, %b: tensor<4xf32>, %init: tensor<0x4x6xf32>) -> tensor<0x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<0x8x4xf32>, tensor<8x4x3xf32>)
         bias(%b : tensor<4xf32>) outs(%init : tensor<0x4x6xf32>) -> tensor<0x4x6xf32>
  return %y : tensor<0x4x6xf32>
}

// -----

// CHECK-LABEL: func @empty_width
// CHECK-NEXT: return %{{.*}} : tensor<1x4x0xf32>
func.func @empty_width(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x0xf32>) -> tensor<1x4x0xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x0xf32>)
         {padding_high = array<i64: 6>} -> tensor<1x4x0xf32>
  return %y : tensor<1x4x0xf32>
}

// -----

// Without input channels nothing is added to any output.

// CHECK-LABEL: func @no_input_channels
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : tensor<1x4x6xf16>
// CHECK: return %[[ZERO]]
func.func @no_input_channels(%x: tensor<1x0x4xf16>, %w: tensor<0x4x3xf16>, %init: tensor<1x4x6xf16>) -> tensor<1x4x6xf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x0x4xf16>, tensor<0x4x3xf16>)
         outs(%init : tensor<1x4x6xf16>) -> tensor<1x4x6xf16>
  return %y : tensor<1x4x6xf16>
}

// -----

// The padding crops away every output that a tap reaches.

// CHECK-LABEL: func @no_taps
// CHECK: arith.constant dense<0.000000e+00> : tensor<1x4x5xf32>
// CHECK-NOT: ctc.conv_transpose
func.func @no_taps(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x5xf32>) -> tensor<1x4x5xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x5xf32>)
         {padding_low = array<i64: 6>, output_padding = array<i64: 5>} -> tensor<1x4x5xf32>
  return %y : tensor<1x4x5xf32>
}

// -----

// What must stay: a bias is added even where no tap reaches, an epilogue may
// make something of zero, and a batch that is not known may not be empty.

// CHECK-LABEL: func @stays
// CHECK-COUNT-4: ctc.conv_transpose
func.func @stays(%x: tensor<1x0x4xf32>, %w: tensor<0x4x3xf32>, %b: tensor<4xf32>, %init: tensor<1x4x6xf32>,
                 %xd: tensor<?x0x4xf32>, %initd: tensor<?x4x6xf32>, %xf: tensor<1x1x4xf32>, %wf: tensor<1x4x3xf32>)
    -> (tensor<1x4x6xf32>, tensor<1x4x6xf32>, tensor<?x4x6xf32>, tensor<1x4x6xf32>) {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<1x0x4xf32>, tensor<0x4x3xf32>)
         bias(%b : tensor<4xf32>) outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  %1 = ctc.conv_transpose ins(%x, %w : tensor<1x0x4xf32>, tensor<0x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) epilogue {
  ^bb0(%acc: f32):
    %e = math.exp %acc : f32
    ctc.yield %e : f32
  } -> tensor<1x4x6xf32>
  %2 = ctc.conv_transpose ins(%xd, %w : tensor<?x0x4xf32>, tensor<0x4x3xf32>)
         outs(%initd : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  %3 = ctc.conv_transpose ins(%xf, %wf : tensor<1x1x4xf32>, tensor<1x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return %0, %1, %2, %3 : tensor<1x4x6xf32>, tensor<1x4x6xf32>, tensor<?x4x6xf32>, tensor<1x4x6xf32>
}
