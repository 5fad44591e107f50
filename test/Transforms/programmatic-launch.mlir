// Kernels that launches name wait for the grids before them, once, where the chip can; other chips' stay as they are.
// RUN: ctc-opt %s --split-input-file --ctc-programmatic-launch | FileCheck %s

module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // CHECK-LABEL: gpu.module @hopper
  gpu.module @hopper {
    // CHECK: gpu.func @twice(%{{.*}}: memref<4xf32>) kernel
    // CHECK-NEXT: nvvm.griddepcontrol wait
    // CHECK-NEXT: arith.constant
    // CHECK-NOT: griddepcontrol
    gpu.func @twice(%x: memref<4xf32>) kernel {
      %zero = arith.constant 0 : index
      %value = memref.load %x[%zero] : memref<4xf32>
      memref.store %value, %x[%zero] : memref<4xf32>
      gpu.return
    }
    // CHECK: gpu.func @unused()
    // CHECK-NEXT: gpu.return
    gpu.func @unused() kernel { gpu.return }
  }
  // CHECK: ctc.launch @hopper::@twice({{.*}}) {{{.*}}, programmatic}
  // CHECK: ctc.launch @hopper::@twice({{.*}}) {{{.*}}, programmatic}
  func.func @layer(%x: memref<4xf32>) {
    ctc.launch @hopper::@twice(%x) {blocks_per_tile = 1 : i64, batch_tile = 0 : i64, block_size = 32 : i64} : memref<4xf32>
    ctc.launch @hopper::@twice(%x) {blocks_per_tile = 2 : i64, batch_tile = 0 : i64, block_size = 32 : i64} : memref<4xf32>
    return
  }
}

// -----

module attributes {ctc.target = #ctc.target<"sm_89">} {
  // CHECK-LABEL: gpu.module @ada
  // CHECK-NOT: griddepcontrol
  // CHECK-NOT: programmatic
  gpu.module @ada {
    gpu.func @once(%x: memref<4xf32>) kernel { gpu.return }
  }
  func.func @layer(%x: memref<4xf32>) {
    ctc.launch @ada::@once(%x) {blocks_per_tile = 1 : i64, batch_tile = 0 : i64, block_size = 32 : i64} : memref<4xf32>
    return
  }
}

// -----

// No chip is named: as for the oldest.
// CHECK-LABEL: gpu.module @any
// CHECK-NOT: griddepcontrol
// CHECK-NOT: programmatic
gpu.module @any {
  gpu.func @once(%x: memref<4xf32>) kernel { gpu.return }
}
func.func @layer(%x: memref<4xf32>) {
  ctc.launch @any::@once(%x) {blocks_per_tile = 1 : i64, batch_tile = 0 : i64, block_size = 32 : i64} : memref<4xf32>
  return
}
