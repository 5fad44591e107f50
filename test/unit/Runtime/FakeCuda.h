//===- FakeCuda.h - A CUDA driver for tests ---------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A libcuda.so.1 that runs nothing but records what it was asked, so that the
// cuda device is tested where there is no GPU. The tests reach its state
// through fakeCuda(), which the library exports. Device memory is host memory.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_TEST_UNIT_RUNTIME_FAKECUDA_H
#define CTC_TEST_UNIT_RUNTIME_FAKECUDA_H

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

struct FakeCuda {
  // What there is.
  int deviceCount = 2;
  int major = 9, minor = 0;
  int driverVersion = 13000;
  /// Parameters of each kernel that modules have, in 64-bit words.
  std::map<std::string, size_t> kernels;
  /// The context that the caller has made current; null: none.
  void *callersContext = nullptr;
  /// The result a function gives next, by name, once; 0 where none is set.
  std::map<std::string, int> failures;

  // What happened.
  struct Launch {
    std::string kernel;
    std::array<unsigned, 3> grid, block;
    unsigned dynamicSharedBytes;
    void *stream;
    std::vector<uint64_t> parameters;
    bool programmatic = false;
  };
  std::vector<Launch> launches;
  std::vector<std::string> loadedImages;           ///< "cubin" or the PTX text.
  std::map<std::string, int> dynamicSharedAllowed; ///< By kernel.
  std::map<void *, size_t> allocations;
  /// Those on the stack of the one thread that uses them, and all so far.
  int contextsPushed = 0, pushes = 0;
  int contextsRetained = 0, modulesLoaded = 0;
  int synchronizations = 0;
};

extern "C" {
FakeCuda *fakeCuda();

// For tests in other languages, which set CTC_FAKE_CUDA_ANY_KERNEL so that
// modules have every kernel they are asked for, its parameters unrecorded.
/// "launches", "allocations" or "synchronizations" so far; -1 for other names.
long fakeCudaCount(const char *what);
/// The stream of the last launch.
void *fakeCudaLastStream();
}

#endif // CTC_TEST_UNIT_RUNTIME_FAKECUDA_H
