// RUN: ctc-opt %s --split-input-file | ctc-opt --split-input-file | FileCheck %s
// RUN: ctc-opt %s --split-input-file --mlir-print-op-generic | ctc-opt --split-input-file | FileCheck %s

// The layer in every rank, layout, type and form prints as it parses.

// CHECK-LABEL: func @rank1
// CHECK: ctc.conv_transpose ins(%{{.*}}, %{{.*}} : tensor<1x8x4xf32>, tensor<8x4x3xf32>) outs(%{{.*}} : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
func.func @rank1(%x: tensor<1x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<1x4x6xf32>) -> tensor<1x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<1x4x6xf32>) -> tensor<1x4x6xf32>
  return %y : tensor<1x4x6xf32>
}

// -----

// Every attribute; the defaults of groups, layout and precision don't print.

// CHECK-LABEL: func @rank2
// CHECK: ctc.conv_transpose
// CHECK-SAME: {dilation = array<i64: 1, 2>, groups = 2 : i64, output_padding = array<i64: 1, 0>, padding_high = array<i64: 0, -2>, padding_low = array<i64: 1, -1>, precision = #ctc.precision<ieee>, stride = array<i64: 2, 3>}
func.func @rank2(%x: tensor<1x8x4x4xf32>, %w: tensor<8x4x3x2xf32>, %init: tensor<1x8x9x15xf32>) -> tensor<1x8x9x15xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4x4xf32>, tensor<8x4x3x2xf32>)
         outs(%init : tensor<1x8x9x15xf32>)
         {stride = array<i64: 2, 3>, dilation = array<i64: 1, 2>,
          padding_low = array<i64: 1, -1>, padding_high = array<i64: 0, -2>,
          output_padding = array<i64: 1, 0>, groups = 2,
          layout = #ctc.layout<channels_first>, precision = #ctc.precision<ieee>}
         -> tensor<1x8x9x15xf32>
  return %y : tensor<1x8x9x15xf32>
}

// -----

// CHECK-LABEL: func @rank3_channels_last
// CHECK: layout = #ctc.layout<channels_last>
func.func @rank3_channels_last(%x: tensor<2x3x3x3x6xbf16>, %w: tensor<6x1x2x2x2xbf16>, %init: tensor<2x4x4x4x6xbf16>) -> tensor<2x4x4x4x6xbf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<2x3x3x3x6xbf16>, tensor<6x1x2x2x2xbf16>)
         outs(%init : tensor<2x4x4x4x6xbf16>)
         {groups = 6, layout = #ctc.layout<channels_last>} -> tensor<2x4x4x4x6xbf16>
  return %y : tensor<2x4x4x4x6xbf16>
}

// -----

// CHECK-LABEL: func @bias_in_f32
// CHECK: bias(%{{.*}} : tensor<4xf32>) outs(%{{.*}} : tensor<1x4x6xf16>)
func.func @bias_in_f32(%x: tensor<1x8x4xf16>, %w: tensor<8x4x3xf16>, %b: tensor<4xf32>, %init: tensor<1x4x6xf16>) -> tensor<1x4x6xf16> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<1x8x4xf16>, tensor<8x4x3xf16>)
         bias(%b : tensor<4xf32>) outs(%init : tensor<1x4x6xf16>) -> tensor<1x4x6xf16>
  return %y : tensor<1x4x6xf16>
}

// -----

// A batch known at launch only, on tensors.

// CHECK-LABEL: func @dynamic_batch
// CHECK: outs(%{{.*}} : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
func.func @dynamic_batch(%x: tensor<?x8x4xf32>, %w: tensor<8x4x3xf32>, %init: tensor<?x4x6xf32>) -> tensor<?x4x6xf32> {
  %y = ctc.conv_transpose ins(%x, %w : tensor<?x8x4xf32>, tensor<8x4x3xf32>)
         outs(%init : tensor<?x4x6xf32>) -> tensor<?x4x6xf32>
  return %y : tensor<?x4x6xf32>
}

// -----

// On memrefs there is no result.

// CHECK-LABEL: func @buffers
// CHECK: ctc.conv_transpose ins(%{{.*}} : memref<1x8x4xf32>, memref<8x4x3xf32>) bias(%{{.*}} : memref<4xf32>) outs(%{{.*}} : memref<1x4x6xf32>){{$}}
func.func @buffers(%x: memref<1x8x4xf32>, %w: memref<8x4x3xf32>, %b: memref<4xf32>, %y: memref<1x4x6xf32>) {
  ctc.conv_transpose ins(%x, %w : memref<1x8x4xf32>, memref<8x4x3xf32>)
    bias(%b : memref<4xf32>) outs(%y : memref<1x4x6xf32>)
  return
}

// -----

// Empty sizes and outputs wider than any tap reaches are legal.

// CHECK-LABEL: func @empty_and_wide
// CHECK-COUNT-2: ctc.conv_transpose
func.func @empty_and_wide(%x: tensor<0x8x4xf32>, %x0: tensor<1x0x4xf32>, %w: tensor<8x4x1xf32>, %w0: tensor<0x4x1xf32>,
                          %a: tensor<0x4x4xf32>, %b: tensor<1x4x108xf32>) -> (tensor<0x4x4xf32>, tensor<1x4x108xf32>) {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<0x8x4xf32>, tensor<8x4x1xf32>)
         outs(%a : tensor<0x4x4xf32>) -> tensor<0x4x4xf32>
  %1 = ctc.conv_transpose ins(%x0, %w0 : tensor<1x0x4xf32>, tensor<0x4x1xf32>)
         outs(%b : tensor<1x4x108xf32>)
         {padding_low = array<i64: -4>, output_padding = array<i64: 100>} -> tensor<1x4x108xf32>
  return %0, %1 : tensor<0x4x4xf32>, tensor<1x4x108xf32>
}
