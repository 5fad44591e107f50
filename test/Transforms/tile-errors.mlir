// RUN: ctc-opt %s --ctc-tile -split-input-file -verify-diagnostics

func.func @not_packed(%x: memref<1x8x6xf32>, %w: memref<8x4x2xf32>, %y: memref<1x4x7xf32>) {
  // expected-error@+1 {{has no kernel and packed weights, run ctc-select-kernel and ctc-bufferize first}}
  ctc.conv_transpose ins(%x, %w : memref<1x8x6xf32>, memref<8x4x2xf32>) outs(%y : memref<1x4x7xf32>)
  return
}
