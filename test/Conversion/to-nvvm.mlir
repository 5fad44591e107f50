// Kernel parameters become bare pointers: also to buffers whose batch is known only at launch, and to empty ones.
// RUN: ctc-opt %s --ctc-to-nvvm | FileCheck %s
// RUN: ctc-opt %s --ctc-nvvm-pipeline | FileCheck %s --check-prefix=NVVM

gpu.module @ctc_kernels {
  // CHECK: gpu.func @layer(%{{[a-z0-9]+}}: memref<1xf32, #gpu.address_space<global>> {llvm.align = 16 : i64, llvm.noalias, llvm.readonly},
  // CHECK-SAME: %{{[a-z0-9]+}}: memref<1xf32, #gpu.address_space<global>> {llvm.align = 16 : i64, llvm.noalias, llvm.readonly},
  // CHECK-SAME: %{{[a-z0-9]+}}: memref<4xf32, #gpu.address_space<global>> {llvm.align = 16 : i64})
  // NVVM: llvm.func @layer(%{{[a-z0-9]+}}: !llvm.ptr<1> {{.*}}, %{{[a-z0-9]+}}: !llvm.ptr<1> {{.*}}, %{{[a-z0-9]+}}: !llvm.ptr<1> {{.*}}) attributes {{.*}}nvvm.kernel
  gpu.func @layer(%x: memref<?x4xf32, #gpu.address_space<global>>, %w: memref<0x4xf32, #gpu.address_space<global>>,
                  %y: memref<4xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %flat = memref.reinterpret_cast %x to offset: [0], sizes: [4], strides: [1]
      : memref<?x4xf32, #gpu.address_space<global>> to memref<4xf32, strided<[1]>, #gpu.address_space<global>>
    %value = memref.load %flat[%c0] : memref<4xf32, strided<[1]>, #gpu.address_space<global>>
    memref.store %value, %y[%c0] : memref<4xf32, #gpu.address_space<global>>
    gpu.return
  }
}

// A promise of 256 resident threads keeps ptxas from spilling for occupancy.
gpu.module @bounds {
  // CHECK: gpu.func @small{{.*}}nvvm.minctasm = 8 : i32
  // NVVM: llvm.func @small{{.*}}nvvm.minctasm = 8 : i32
  gpu.func @small() kernel attributes {known_block_size = array<i32: 32, 1, 1>} {
    gpu.return
  }
  // CHECK: gpu.func @large{{.*}}nvvm.minctasm = 1 : i32
  gpu.func @large() kernel attributes {known_block_size = array<i32: 512, 1, 1>} {
    gpu.return
  }
}

// LLVM fills vectors of neighbouring loads up to the alignment it is told, so a buffer of 12 bytes has that of an element.
gpu.module @ends {
  // CHECK: gpu.func @bias(%{{[a-z0-9]+}}: memref<3xf32, #gpu.address_space<global>> {llvm.align = 4 : i64
  gpu.func @bias(%bias: memref<3xf32, #gpu.address_space<global>>) kernel {
    gpu.return
  }
}

// 32 sums and 64 other registers are 682 threads, of which 640 are as good: 5 blocks of 128.
#simt = #ctc.kernel<family = simt, lanes = positions, batch = 1, box = [1024], phases = [2], taps = [4], chunk_channels = 1,
                    workers = [128, 1], worker_tile = [8, 2], stages = 1, source = explicit>
gpu.module @sums {
  // CHECK: gpu.func @simt{{.*}}nvvm.minctasm = 5 : i32
  gpu.func @simt() kernel attributes {known_block_size = array<i32: 128, 1, 1>, ctc.kernel = #simt} {
    gpu.return
  }
}
