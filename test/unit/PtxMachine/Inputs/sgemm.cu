// Inputs/sgemm.cu; sgemm.ptx is made of it by
//   nvcc -ptx -arch=sm_80 sgemm.cu -o sgemm.ptx
// A tiled SGEMM: C = A * B, row major, 64 x 64 tiles, 16 x 16 threads, 4 x 4
// each.
extern "C" __global__ void __launch_bounds__(256)
    sgemm(const float *a, const float *b, float *c, int m, int n, int k) {
  __shared__ float as[16][64 + 4];
  __shared__ float bs[16][64];
  int tx = threadIdx.x, ty = threadIdx.y, t = ty * 16 + tx;
  int row = blockIdx.y * 64, col = blockIdx.x * 64;
  float acc[4][4] = {};
  for (int k0 = 0; k0 < k; k0 += 16) {
    for (int i = 0; i < 4; ++i) {
      int e = t + i * 256;
      int ar = e / 16, ak = e % 16;
      as[ak][ar] =
          row + ar < m && k0 + ak < k ? a[(row + ar) * k + k0 + ak] : 0.0f;
      int bk = e / 64, bc = e % 64;
      bs[bk][bc] =
          k0 + bk < k && col + bc < n ? b[(k0 + bk) * n + col + bc] : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int kk = 0; kk < 16; ++kk) {
      float x[4], y[4];
      for (int i = 0; i < 4; ++i) {
        x[i] = as[kk][ty * 4 + i];
        y[i] = bs[kk][tx * 4 + i];
      }
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 4; ++j)
          acc[i][j] += x[i] * y[j];
    }
    __syncthreads();
  }
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      if (row + ty * 4 + i < m && col + tx * 4 + j < n)
        c[(row + ty * 4 + i) * n + col + tx * 4 + j] = acc[i][j];
}
