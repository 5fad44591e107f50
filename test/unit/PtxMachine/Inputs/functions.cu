// Functions of CUDA's device library (libdevice), one kernel each:
// out[i] = function(x[i], y[i]). functions.ptx is made of it by
//   clang++-22 -x cuda --cuda-device-only --cuda-gpu-arch=sm_80 -S -O3 \
//     --cuda-path=/usr/local/cuda functions.cu -o functions.ptx
#define KERNEL(name, T, expression)                                            \
  extern "C" __global__ void name##_k(const T *x, const T *y, T *out, int n) { \
    int i = blockIdx.x * blockDim.x + threadIdx.x;                             \
    if (i < n) {                                                               \
      T a = x[i], b = y[i];                                                    \
      (void)b;                                                                 \
      out[i] = expression;                                                     \
    }                                                                          \
  }
KERNEL(exp, float, expf(a))
KERNEL(exp2, float, exp2f(a))
KERNEL(expm1, float, expm1f(a))
KERNEL(log, float, logf(a))
KERNEL(log2, float, log2f(a))
KERNEL(log1p, float, log1pf(a))
KERNEL(tanh, float, tanhf(a))
KERNEL(erf, float, erff(a))
KERNEL(sin, float, sinf(a))
KERNEL(cos, float, cosf(a))
KERNEL(pow, float, powf(a, b))
KERNEL(sqrt, float, sqrtf(a))
KERNEL(rsqrt, float, rsqrtf(a))
KERNEL(div, float, a / b)
KERNEL(exp_f64, double, exp(a))
KERNEL(sin_f64, double, sin(a))
