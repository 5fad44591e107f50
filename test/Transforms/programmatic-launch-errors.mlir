// RUN: ctc-opt %s -verify-diagnostics --ctc-programmatic-launch

module attributes {ctc.target = #ctc.target<"sm_100a">} {
  func.func @layer(%x: memref<4xf32>) {
    // expected-error@+1 {{names @kernels::@missing, must name a gpu.func of the module; run ctc-tile first}}
    ctc.launch @kernels::@missing(%x) {blocks_per_tile = 1 : i64, batch_tile = 0 : i64, block_size = 32 : i64} : memref<4xf32>
    return
  }
}
