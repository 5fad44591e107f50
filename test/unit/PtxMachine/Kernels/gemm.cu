// A matrix product on mma.sync: C = A * B, all row major, with f32 results.
// Blocks of 64 x 64, four warps of 32 x 32 each; three stages of tiles in
// shared memory filled by cp.async, which gives zeros beyond the matrices'
// edges. m, n and k are arbitrary; rows of A and B start at multiples of 16
// bytes (pitchA and pitchB, in elements).
#include "Helpers.h"

#include <cuda_fp16.h>

constexpr int kTile = 64, kStages = 3, kThreads = 128;

/// Rows of `kWidth` elements in shared memory, each 16 bytes longer than it
/// holds, so that eight rows of a matrix lie in different banks.
template <class T, int kRows, int kWidth> struct Tile {
  static constexpr int kPerCopy = 16 / sizeof(T);
  T rows[kRows][kWidth + kPerCopy];

  /// Starts copying the tile at (row, column) of a matrix.
  __device__ void load(const T *matrix, int pitch, int row, int column,
                       int height, int width) {
#pragma unroll 1
    for (int i = threadIdx.x; i < kRows * kWidth / kPerCopy; i += kThreads) {
      int r = i / (kWidth / kPerCopy), c = i % (kWidth / kPerCopy) * kPerCopy;
      int left = row + r < height ? width - (column + c) : 0;
      int count = max(0, min(left, kPerCopy));
      const T *from = count ? matrix + (int64_t)(row + r) * pitch + column + c
                            : matrix;
      copyAsync16(sharedAddress(&rows[r][c]), from, count * sizeof(T));
    }
  }
};

/// The multiplications of a warp on one pair of tiles.
DEVICE void multiplyTiles(float (&sums)[2][4][4],
                          const Tile<__half, kTile, 32> &a,
                          const Tile<__half, 32, kTile> &b, int row,
                          int column) {
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int k = 0; k < 32; k += 16) {
    uint32_t as[2][4], bs[2][4];
    for (int i = 0; i < 2; ++i) {
      loadMatrices(as[i], sharedAddress(&a.rows[row + i * 16 + lane % 16]
                                               [k + lane / 16 * 8]));
      loadMatricesTransposed(bs[i],
                             sharedAddress(&b.rows[k + lane % 16]
                                                  [column + i * 16 +
                                                   lane / 16 * 8]));
    }
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j)
        multiplyF16(sums[i][j], as[i], bs[j / 2][j % 2 * 2],
                    bs[j / 2][j % 2 * 2 + 1]);
  }
}
DEVICE void multiplyTiles(float (&sums)[2][4][4],
                          const Tile<float, kTile, 16> &a,
                          const Tile<float, 16, kTile> &b, int row,
                          int column) {
  int lane = threadIdx.x % 32;
#pragma unroll
  for (int k = 0; k < 16; k += 8) {
    uint32_t as[2][4], bs[4][2];
    for (int i = 0; i < 2; ++i) {
      // A matrix of 8 x 8 16-bit elements is one of 8 x 4 f32.
      loadMatrices(as[i], sharedAddress(&a.rows[row + i * 16 + lane % 16]
                                               [k + lane / 16 * 4]));
      for (uint32_t &value : as[i])
        value = toTF32(value);
    }
    for (int j = 0; j < 4; ++j)
      for (int h = 0; h < 2; ++h)
        bs[j][h] = toTF32(__float_as_uint(
            b.rows[k + lane % 4 + 4 * h][column + j * 8 + lane / 4]));
#pragma unroll
    for (int i = 0; i < 2; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j)
        multiplyTF32(sums[i][j], as[i], bs[j][0], bs[j][1]);
  }
}

template <class T, int kDepth>
DEVICE void product(const T *a, const T *b, float *c, int m, int n, int k,
                    int pitchA, int pitchB) {
  __shared__ alignas(16) Tile<T, kTile, kDepth> as[kStages];
  __shared__ alignas(16) Tile<T, kDepth, kTile> bs[kStages];
  int row = blockIdx.y * kTile, column = blockIdx.x * kTile;
  int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  int steps = (k + kDepth - 1) / kDepth;
  float sums[2][4][4] = {};
  auto load = [&](int step) {
    if (step < steps) {
      as[step % kStages].load(a, pitchA, row, step * kDepth, m, k);
      bs[step % kStages].load(b, pitchB, step * kDepth, column, k, n);
    }
    commitCopies(); // Empty groups keep the count of pending ones right.
  };
  // The first turns of the loop only load.
#pragma unroll 1
  for (int step = 1 - kStages; step < steps; ++step) {
    waitForCopies<kStages - 2>();
    __syncthreads(); // The step's tile is there, and that of the last is free.
    load(step + kStages - 1);
    if (step >= 0)
      multiplyTiles(sums, as[step % kStages], bs[step % kStages],
                    warp / 2 * 32, warp % 2 * 32);
  }
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 4; ++j)
      for (int e = 0; e < 4; ++e) {
        int r = row + warp / 2 * 32 + i * 16 + lane / 4 + e / 2 * 8;
        int s = column + warp % 2 * 32 + j * 8 + lane % 4 * 2 + e % 2;
        if (r < m && s < n)
          c[(int64_t)r * n + s] = sums[i][j][e];
      }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    gemm_f16(const __half *a, const __half *b, float *c, int m, int n, int k,
             int pitchA, int pitchB) {
  product<__half, 32>(a, b, c, m, n, k, pitchA, pitchB);
}
extern "C" __global__ void __launch_bounds__(kThreads)
    gemm_tf32(const float *a, const float *b, float *c, int m, int n, int k,
              int pitchA, int pitchB) {
  product<float, 16>(a, b, c, m, n, k, pitchA, pitchB);
}
