// Reductions by shuffles, redux and atomics.
#include "Helpers.h"

constexpr unsigned kAll = 0xffffffffu;

DEVICE float sumOfWarp(float value) {
  for (int distance = 16; distance > 0; distance /= 2)
    value += __shfl_xor_sync(kAll, value, distance);
  return value;
}

/// partial[block] = sum of the block's elements, every thread's in steps of the
/// grid, in an order that the shape of the launch fixes. A second launch with
/// one block sums the partial sums.
extern "C" __global__ void __launch_bounds__(256)
    sum_f32(const float *in, float *partial, int n) {
  __shared__ float sums[8];
  float sum = 0;
  for (int i = blockIdx.x * 256 + threadIdx.x; i < n; i += gridDim.x * 256)
    sum += in[i];
  sum = sumOfWarp(sum);
  if (threadIdx.x % 32 == 0)
    sums[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x < 32) {
    sum = sumOfWarp(threadIdx.x < 8 ? sums[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0)
      partial[blockIdx.x] = sum;
  }
}

/// One atomic per warp; the order is the machine's own, so only sums that are
/// exact in any order are the same everywhere.
extern "C" __global__ void sum_f32_atomic(const float *in, float *total,
                                          int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float sum = sumOfWarp(i < n ? in[i] : 0.0f);
  if (threadIdx.x % 32 == 0)
    atomicAdd(total, sum);
}

/// out[0..7] = sum, signed minimum and maximum, unsigned minimum and maximum,
/// and, or, xor of all elements: by redux in the warp, then by atomics.
extern "C" __global__ void reduce_int(const int *in, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned active = __activemask();
  int value = in[i];
  int sum = __reduce_add_sync(active, value);
  int least = __reduce_min_sync(active, value);
  int most = __reduce_max_sync(active, value);
  unsigned leastUnsigned = __reduce_min_sync(active, (unsigned)value);
  unsigned mostUnsigned = __reduce_max_sync(active, (unsigned)value);
  unsigned all = __reduce_and_sync(active, (unsigned)value);
  unsigned any = __reduce_or_sync(active, (unsigned)value);
  unsigned odd = __reduce_xor_sync(active, (unsigned)value);
  if (threadIdx.x % 32 != 0)
    return;
  atomicAdd(&out[0], sum);
  atomicMin(&out[1], least);
  atomicMax(&out[2], most);
  auto *bits = reinterpret_cast<unsigned *>(out);
  atomicMin(&bits[3], leastUnsigned);
  atomicMax(&bits[4], mostUnsigned);
  atomicAnd(&bits[5], all);
  atomicOr(&bits[6], any);
  atomicXor(&bits[7], odd);
}

/// A running sum over a block by shuffles within its warps: out[i] = in[0] +
/// ... + in[i], of 64-bit integers.
extern "C" __global__ void __launch_bounds__(1024)
    scan_i64(const long long *in, long long *out, int n) {
  __shared__ long long sums[32];
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  long long sum = threadIdx.x < n ? in[threadIdx.x] : 0;
  auto scan = [&](long long value) {
    for (int distance = 1; distance < 32; distance *= 2) {
      long long before = __shfl_up_sync(kAll, value, distance);
      if (lane >= distance)
        value += before;
    }
    return value;
  };
  sum = scan(sum);
  if (lane == 31)
    sums[warp] = sum;
  __syncthreads();
  if (warp == 0)
    sums[lane] = scan(lane < blockDim.x / 32 ? sums[lane] : 0);
  __syncthreads();
  if (threadIdx.x < n)
    out[threadIdx.x] = sum + (warp ? sums[warp - 1] : 0);
}
