// Layers of many channels take warpgroups where the chip has them and the precision allows it.
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_90a 2>%t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_80 2>/dev/null | FileCheck %s --check-prefix=OTHER
// RUN: ctc-opt %s --ctc-select-kernel=chip=sm_100a 2>/dev/null | FileCheck %s --check-prefix=OTHER
// RUN: ctc-opt %s --ctc-select-kernel="chip=sm_90a family=mma_sync" 2>/dev/null | FileCheck %s --check-prefix=OTHER

// REMARK: remark: wgmma_ra is estimated at {{.*}} us, bound by

// OTHER-COUNT-3: kernel = #ctc.kernel<family = mma_sync
// CHECK-LABEL: @wide
// CHECK: kernel = #ctc.kernel<family = wgmma_ra, lanes = channels, {{.*}} workers = [{{4|8}}, {{[0-9]+}}], {{.*}} source = heuristic>
// CHECK-LABEL: @tf32x3
// CHECK: kernel = #ctc.kernel<family = mma_sync
// CHECK-LABEL: @pairs
// CHECK: kernel = #ctc.kernel<family = wgmma_ra, lanes = channels
func.func @wide(%x: tensor<8x256x64x64xf32>, %w: tensor<256x128x4x4xf32>, %y: tensor<8x128x128x128xf32>) -> tensor<8x128x128x128xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<8x256x64x64xf32>, tensor<256x128x4x4xf32>) outs(%y : tensor<8x128x128x128xf32>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>} -> tensor<8x128x128x128xf32>
  return %0 : tensor<8x128x128x128xf32>
}
func.func @tf32x3(%x: tensor<8x256x64x64xf32>, %w: tensor<256x128x4x4xf32>, %y: tensor<8x128x128x128xf32>) -> tensor<8x128x128x128xf32> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<8x256x64x64xf32>, tensor<256x128x4x4xf32>) outs(%y : tensor<8x128x128x128xf32>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>, precision = #ctc.precision<tf32x3>} -> tensor<8x128x128x128xf32>
  return %0 : tensor<8x128x128x128xf32>
}
func.func @pairs(%x: tensor<8x64x64x256xbf16>, %w: tensor<256x128x4x4xbf16>, %y: tensor<8x128x128x128xbf16>) -> tensor<8x128x128x128xbf16> {
  %0 = ctc.conv_transpose ins(%x, %w : tensor<8x64x64x256xbf16>, tensor<256x128x4x4xbf16>) outs(%y : tensor<8x128x128x128xbf16>)
         {stride = array<i64: 2, 2>, padding_low = array<i64: 1, 1>, padding_high = array<i64: 1, 1>, layout = #ctc.layout<channels_last>} -> tensor<8x128x128x128xbf16>
  return %0 : tensor<8x128x128x128xbf16>
}
