//===- Helpers.h - Instructions that CUDA C++ has no word for ---*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For the kernels of this folder: PTX instructions as functions, one each, with
// the sections of the PTX ISA 9.0 that describe them.
//
//===----------------------------------------------------------------------===//

#pragma once

#include <cstdint>

#define DEVICE static __device__ __forceinline__

DEVICE uint32_t sharedAddress(const void *pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

//===----------------------------------------------------------------------===//
// Asynchronous copies of the threads (9.7.9.25.3)
//===----------------------------------------------------------------------===//

/// Copies 16 bytes into shared memory, the first `bytes` of them from global
/// memory and zeros behind.
DEVICE void copyAsync16(uint32_t to, const void *from, uint32_t bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to),
               "l"(from), "r"(bytes)
               : "memory");
}
DEVICE void commitCopies() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most `pending` of the committed groups are still under way.
template <int pending> DEVICE void waitForCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

//===----------------------------------------------------------------------===//
// Matrices of a warp (9.7.14)
//===----------------------------------------------------------------------===//

/// Four 8 x 8 matrices of 16-bit elements; lane i gives the address of row
/// i % 8 of matrix i / 8.
DEVICE void loadMatrices(uint32_t (&to)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, "
               "[%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
}
/// The same, each matrix transposed.
DEVICE void loadMatricesTransposed(uint32_t (&to)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, "
               "%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(row)
               : "memory");
}

DEVICE void multiplyF16(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                        uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
DEVICE void multiplyTF32(float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                         uint32_t b1) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
               "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
               : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}
/// Rounded to nearest, ties away from zero.
DEVICE uint32_t toTF32(uint32_t bits) {
  uint32_t result;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(result) : "f"(__uint_as_float(bits)));
  return result;
}

//===----------------------------------------------------------------------===//
// Matrices of a warpgroup (9.7.15)
//===----------------------------------------------------------------------===//

/// What plain stores put into shared memory becomes visible to the asynchronous
/// units (and a barrier among the threads must follow).
DEVICE void fenceAsyncProxy() {
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
DEVICE void fenceMatrices() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
DEVICE void commitMatrices() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int pending> DEVICE void waitForMatrices() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
}

//===----------------------------------------------------------------------===//
// Barriers in shared memory (9.7.13.15)
//===----------------------------------------------------------------------===//

DEVICE void initialize(uint32_t barrier, uint32_t arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier),
               "r"(arrivals)
               : "memory");
}
/// What the initializations wrote becomes visible to the cluster and to the
/// asynchronous units.
DEVICE void fenceInitialized() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  fenceAsyncProxy();
}
DEVICE void arrive(uint32_t barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier)
               : "memory");
}
/// Arrives and announces bytes that asynchronous copies will bring.
DEVICE void arriveExpecting(uint32_t barrier, uint32_t bytes) {
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier),
      "r"(bytes)
      : "memory");
}
/// Arrives at the barrier that lies at the same place in another block of the
/// cluster.
DEVICE void arriveRemote(uint32_t barrier, uint32_t rank) {
  asm volatile("{.reg .b32 remote; mapa.shared::cluster.u32 remote, %0, %1; "
               "mbarrier.arrive.release.cluster.shared::cluster.b64 _, "
               "[remote];}" ::"r"(barrier),
               "r"(rank)
               : "memory");
}
/// Waits until the phase of this parity is over.
DEVICE void wait(uint32_t barrier, uint32_t parity) {
  uint32_t over;
  do
    asm volatile("{.reg .pred p; mbarrier.try_wait.parity.acquire.cluster"
                 ".shared::cta.b64 p, [%1], %2; selp.u32 %0, 1, 0, p;}"
                 : "=r"(over)
                 : "r"(barrier), "r"(parity)
                 : "memory");
  while (!over);
}

//===----------------------------------------------------------------------===//
// Bulk copies by tensor maps (9.7.9.27.1)
//===----------------------------------------------------------------------===//

/// A tensor map as the driver encodes it, a parameter of the kernel.
struct alignas(64) TensorMap {
  char bytes[128];
};

DEVICE void loadBox2D(uint32_t to, const TensorMap &map, uint32_t barrier,
                      int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::"
               "complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to),
               "l"(&map), "r"(x), "r"(y), "r"(barrier)
               : "memory");
}
/// The same for all blocks of the cluster in the mask, at the same place and
/// with the same barrier in each.
DEVICE void multicastBox2D(uint32_t to, const TensorMap &map, uint32_t barrier,
                           int x, int y, uint16_t mask) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::"
               "complete_tx::bytes.multicast::cluster [%0], [%1, {%2, %3}], "
               "[%4], %5;" ::"r"(to),
               "l"(&map), "r"(x), "r"(y), "r"(barrier), "h"(mask)
               : "memory");
}
DEVICE void storeBox2D(const TensorMap &map, uint32_t from, int x, int y) {
  asm volatile("cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group "
               "[%0, {%2, %3}], [%1];" ::"l"(&map),
               "r"(from), "r"(x), "r"(y)
               : "memory");
}
DEVICE void commitStores() {
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}
/// Waits until at most `pending` groups of stores still read shared memory.
template <int pending> DEVICE void waitForReads() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(pending) : "memory");
}
template <int pending> DEVICE void waitForStores() {
  asm volatile("cp.async.bulk.wait_group %0;" ::"n"(pending) : "memory");
}
