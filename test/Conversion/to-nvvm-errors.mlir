// RUN: ctc-opt %s --ctc-to-nvvm -verify-diagnostics

gpu.module @ctc_kernels {
  // expected-error@+1 {{argument 0 of type 'memref<?x4xf32, #gpu.address_space<global>>' is used by 'memref.load', must be used through memref.reinterpret_cast only; run ctc-vectorize first}}
  gpu.func @layer(%x: memref<?x4xf32, #gpu.address_space<global>>) kernel {
    %c0 = arith.constant 0 : index
    %value = memref.load %x[%c0, %c0] : memref<?x4xf32, #gpu.address_space<global>>
    gpu.return
  }
}
