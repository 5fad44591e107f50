//===- Gpu.h - Launches recorded cases on a GPU -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver is the runtime's table of functions plus the three that only these
// launches need. Errors carry NoDevice when the driver has no GPU for us,
// InvalidProblem when it refuses an image or a tensor map and the context is as
// good as before, and DeviceError when the context may be lost.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_GPU_GPU_H
#define CTC_TEST_GPU_GPU_H

#include "CudaDriver.h"
#include "Record.h"

namespace ctc::gpu {

class Gpu {
public:
  static Expected<std::unique_ptr<Gpu>> open(int ordinal);
  ~Gpu();

  /// Name and compute capability, such as "NVIDIA H200, sm_90".
  const std::string &description() const { return words; }

  /// Loads the cubin, or the PTX when `fromText` (or when there is no cubin).
  Expected<rt::CUmodule> load(const Module &module, bool fromText);
  void unload(rt::CUmodule module) { driver->cuModuleUnload(module); }

  /// Launches a case and gives back its buffers.
  Expected<std::vector<Bytes>>
  launch(rt::CUmodule module, const std::string &kernel, const Case &value);

private:
  struct Functions;

  Gpu();
  Expected<void> openFunctions();
  Expected<rt::CUfunction> kernelOf(rt::CUmodule module,
                                    const std::string &name, const Case &value);
  Expected<void> place(const Case &value, std::vector<uint64_t> &addresses);
  Expected<Bytes> parametersOf(const Case &value,
                               const std::vector<uint64_t> &addresses);
  Expected<void> encode(const TensorMap &map, uint64_t address,
                        std::byte *result);
  Expected<void> start(rt::CUfunction function, const Case &value,
                       Bytes &parameters);
  /// The block of parameters as the code of `function` has it, from the one of
  /// the record.
  Bytes layOut(rt::CUfunction function, const Case &value,
               const Bytes &parameters) const;
  Expected<void> check(rt::CUresult result, const char *call, ErrorCode code);

  const rt::CudaDriver *driver = nullptr;
  std::unique_ptr<Functions> functions;
  std::string words;
  rt::CUdevice device = 0;
  /// One allocation for the buffers of a case, grown as needed.
  rt::CUdeviceptr arena = 0;
  uint64_t arenaBytes = 0;
};

} // namespace ctc::gpu

#endif // CTC_TEST_GPU_GPU_H
