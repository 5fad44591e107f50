// Four warps multiply 64 positions, which they hold in registers, with weights that a descriptor names in workgroup memory.
// RUN: ctc-opt %s --ctc-select-kernel --ctc-bufferize --ctc-tile --ctc-implicit-im2col --ctc-pipeline --ctc-vectorize --canonicalize --cse | FileCheck %s

#tf32 = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 16,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#one = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [1], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 8], stages = 3, clip = false, source = explicit>
#across = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [128], phases = [1], taps = [2], chunk_channels = 16,
           workers = [4, 2], worker_tile = [32, 24], stages = 2, clip = false, source = explicit>
#reused = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 32,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#grouped = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [2], taps = [4], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 16], stages = 3, clip = false, source = explicit>
#looped = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [16, 16], phases = [1, 1], taps = [3, 7], chunk_channels = 8,
           workers = [4, 1], worker_tile = [64, 16], stages = 3, clip = false, source = explicit>
#clipped = #ctc.kernel<family = wgmma_ra, lanes = channels, batch = 1, box = [64], phases = [1], taps = [2], chunk_channels = 8,
           workers = [4, 1], worker_tile = [16, 8], stages = 3, source = explicit>

module attributes {ctc.target = #ctc.target<"sm_90a">} {
  // Two taps of two steps are four groups of one instruction. A lane loads four words of its positions and rounds them. Only the sums of the first
  // group come from elsewhere, so they go through its fence; a group is awaited when the next is under way. Registers of the last group are not those
  // that the next turn loads first: it begins without waiting.
  // The descriptor: its first core matrix in units of 16 bytes, 128 bytes from one half of the reduction to the next (8 << 16), and 256 from eight
  // channels to the next (16 << 32). A step of 8 input channels by 16 are 512 bytes, 32 units, and a tap 64.
  // CHECK-LABEL: gpu.func @tf32(
  // CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>) {
  // CHECK-NOT: nvvm.wgmma.wait.group
  // CHECK: %[[ADDRESS:.*]] = memref.extract_aligned_pointer_as_index
  // CHECK: %[[BYTES:.*]] = arith.index_cast %[[ADDRESS]] : index to i32
  // CHECK: %[[UNITS:.*]] = arith.divui %[[BYTES]], %c16_i32 : i32
  // CHECK: %[[LOW:.*]] = arith.addi %[[UNITS]], %c524288_i32 : i32
  // CHECK-COUNT-4: nvvm.convert.float.to.tf32 {{.*}} {rnd = #nvvm.fp_rnd_mode<rna>}
  // CHECK-NOT: nvvm.convert.float.to.tf32
  // CHECK: llvm.inline_asm has_side_effects "wgmma.fence.sync.aligned;", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,~{memory}"
  // CHECK: %[[LOW64:.*]] = arith.extui %[[LOW]] : i32 to i64
  // CHECK-NEXT: %[[DESCRIPTOR:.*]] = arith.ori %[[LOW64]], %c68719476736_i64 : i64
  // CHECK-NEXT: llvm.inline_asm has_side_effects "{\0A.reg .pred p;\0Asetp.eq.u32 p, 0, 0;\0Awgmma.mma_async.sync.aligned.m64n16k8.f32.tf32.tf32 {$0, $1, $2, $3, $4, $5, $6, $7}, {$16, $17, $18, $19}, $20, p, 1, 1;\0A}", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,r,r,r,r,l,~{memory}" {{.*}}, %[[DESCRIPTOR]] :
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK-NEXT: nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK-COUNT-4: nvvm.convert.float.to.tf32
  // CHECK: nvvm.wgmma.fence.aligned
  // CHECK: arith.addi %[[UNITS]], %c524320_i32
  // CHECK: wgmma.mma_async
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK-NEXT: nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK: arith.addi %[[UNITS]], %c524352_i32
  // CHECK: nvvm.wgmma.fence.aligned
  // CHECK: wgmma.mma_async
  // CHECK: nvvm.wgmma.fence.aligned
  // CHECK: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK-NEXT: scf.yield
  // CHECK: llvm.inline_asm has_side_effects "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,~{memory}"
  func.func @tf32(%x: tensor<1x32x68xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x16x138xf32>) -> tensor<1x16x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x16x138xf32>)
           {stride = array<i64: 2>, kernel = #tf32} -> tensor<1x16x138xf32>
    return %0 : tensor<1x16x138xf32>
  }

  // One group a turn: the next turn's first loads overwrite what it reads, so it is awaited before them.
  // CHECK-LABEL: gpu.func @one_group(
  // CHECK: scf.for {{.*}} -> (vector<4xf32>) {
  // CHECK: nvvm.wgmma.wait.group.sync.aligned 0
  // CHECK: vector.load {{.*}} vector<1xf32>
  // CHECK: "wgmma.fence.sync.aligned;"
  // CHECK: m64n8k8
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK-NEXT: nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK-NEXT: scf.yield
  func.func @one_group(%x: tensor<1x32x68xf32>, %w: tensor<32x8x2xf32>, %y: tensor<1x8x136xf32>) -> tensor<1x8x136xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x8x2xf32>) outs(%y : tensor<1x8x136xf32>)
           {stride = array<i64: 2>, kernel = #one} -> tensor<1x8x136xf32>
    return %0 : tensor<1x8x136xf32>
  }

  // Warps beside each other along channels have their own 24 of 48 channels of weights, at a place that all lanes agree on. Two times 64 positions of a
  // warpgroup are two instructions a group, over 16 elements of 16 bits.
  // CHECK-LABEL: gpu.func @across(
  // CHECK: nvvm.shfl.sync idx
  // CHECK: "wgmma.fence.sync.aligned;"
  // CHECK-COUNT-2: m64n24k16.f32.bf16.bf16 {$0, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11}, {$24, $25, $26, $27}, $28, p, 1, 1, 0;
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK: nvvm.wgmma.fence.aligned
  // CHECK-COUNT-2: m64n24k16
  // CHECK-NOT: m64n24k16
  // CHECK: scf.yield
  func.func @across(%x: tensor<1x32x136xbf16>, %w: tensor<32x48x4xbf16>, %y: tensor<1x48x274xbf16>) -> tensor<1x48x274xbf16> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x136xbf16>, tensor<32x48x4xbf16>) outs(%y : tensor<1x48x274xbf16>)
           {stride = array<i64: 2>, kernel = #across} -> tensor<1x48x274xbf16>
    return %0 : tensor<1x48x274xbf16>
  }

  // Channels last, 32 planes of a position: octets take turns, so the second tap's second octet is the first tap's first. Six loads serve two taps of two
  // octets in two groups; the last group reads registers of the second, so the next turn begins without waiting.
  // CHECK-LABEL: gpu.func @reused(
  // CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>) {
  // CHECK-NOT: nvvm.wgmma.wait.group.sync.aligned 0
  // CHECK-COUNT-2: vector.load {{.*}} {alignment = 16 : i64} : {{.*}}, vector<4xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-2: wgmma.mma_async
  // CHECK-COUNT-2: vector.load {{.*}} vector<4xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-2: wgmma.mma_async
  // CHECK: vector.load {{.*}} vector<4xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-2: wgmma.mma_async
  // CHECK: vector.load {{.*}} vector<4xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-2: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: scf.yield
  func.func @reused(%x: tensor<1x68x64xf32>, %w: tensor<64x16x4xf32>, %y: tensor<1x138x16xf32>) -> tensor<1x138x16xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x68x64xf32>, tensor<64x16x4xf32>) outs(%y : tensor<1x138x16xf32>)
           {stride = array<i64: 2>, layout = #ctc.layout<channels_last>, kernel = #reused} -> tensor<1x138x16xf32>
    return %0 : tensor<1x138x16xf32>
  }

  // Phases together: four taps are three shifts, the middle one of both phases. Three groups, of one, two and one instructions, and the last one reads
  // none of the first one's registers.
  // CHECK-LABEL: gpu.func @grouped(
  // CHECK: scf.for {{.*}} -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
  // CHECK-NOT: nvvm.wgmma.wait.group.sync.aligned 0
  // CHECK: "wgmma.fence.sync.aligned;", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,
  // CHECK-COUNT-1: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK-COUNT-2: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK-COUNT-1: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: nvvm.wgmma.commit.group.sync.aligned
  // CHECK: scf.yield
  func.func @grouped(%x: tensor<1x68x32xf32>, %w: tensor<32x16x4xf32>, %y: tensor<1x136x16xf32>) -> tensor<1x136x16xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x68x32xf32>, tensor<32x16x4xf32>) outs(%y : tensor<1x136x16xf32>)
           {stride = array<i64: 2>, padding_low = array<i64: 1>, padding_high = array<i64: 1>, layout = #ctc.layout<channels_last>,
            kernel = #grouped} -> tensor<1x136x16xf32>
    return %0 : tensor<1x136x16xf32>
  }

  // Where a block walks a number of taps that it works out, they are a loop of their own, whose straight code is one group.
  // CHECK-LABEL: gpu.func @clipped(
  // CHECK: scf.for {{.*}} -> (vector<4xf32>) {
  // CHECK: scf.for {{.*}} -> (vector<4xf32>) {
  // CHECK: nvvm.wgmma.wait.group.sync.aligned 0
  // CHECK: vector.load
  // CHECK: "wgmma.fence.sync.aligned;"
  // CHECK: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: nvvm.wgmma.wait.group.sync.aligned 1
  // CHECK-NEXT: scf.yield
  func.func @clipped(%x: tensor<1x32x68xf32>, %w: tensor<32x8x4xf32>, %y: tensor<1x8x138xf32>) -> tensor<1x8x138xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x32x68xf32>, tensor<32x8x4xf32>) outs(%y : tensor<1x8x138xf32>)
           {stride = array<i64: 2>, kernel = #clipped} -> tensor<1x8x138xf32>
    return %0 : tensor<1x8x138xf32>
  }

  // 21 taps of four instructions would be too many to stand in the code: columns of taps are a loop, which nobody unrolls again, and under its shift the
  // three rows of a column share rows of the box. 8 loads for the first group, 2 for each of the others, which are loaded before the group in front is issued.
  // CHECK-LABEL: gpu.func @looped(
  // CHECK: scf.for {{.*}} {
  // CHECK: scf.for %[[TAP:.*]] = %c0 to %c7
  // CHECK: %[[AGE:.*]] = arith.subi %c6, %[[TAP]]
  // CHECK: %[[LOOPED:.*]] = arith.muli %[[AGE]],
  // CHECK-COUNT-8: vector.load {{.*}} vector<2xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-4: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK-COUNT-4: vector.load {{.*}} vector<2xf32>
  // CHECK-NOT: vector.load
  // CHECK-COUNT-8: wgmma.mma_async
  // CHECK-NOT: wgmma.mma_async
  // CHECK: } {loop_annotation = #loop_annotation}
  // CHECK: } {loop_annotation = #loop_annotation}
  func.func @looped(%x: tensor<1x64x64x32xf32>, %w: tensor<32x16x3x7xf32>, %y: tensor<1x66x70x16xf32>) -> tensor<1x66x70x16xf32> {
    %0 = ctc.conv_transpose ins(%x, %w : tensor<1x64x64x32xf32>, tensor<32x16x3x7xf32>) outs(%y : tensor<1x66x70x16xf32>)
           {layout = #ctc.layout<channels_last>, kernel = #looped} -> tensor<1x66x70x16xf32>
    return %0 : tensor<1x66x70x16xf32>
  }
}
