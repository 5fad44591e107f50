//===- Staging.h - Host arrays in the memory of the cpu device --*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The PTX machine has memory of its own, as a GPU has, in which every buffer is
// guarded byte by byte. Arrays of the host are copied into it and out of it.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_PYTHON_STAGING_H
#define CTC_PYTHON_STAGING_H

#include "Bundle.h"

namespace ctc::python {

/// Device buffers of the exact sizes of one call, kept for the next one.
class Staging {
public:
  explicit Staging(ctc_device *device) : device(device) {}
  ~Staging();
  Staging(const Staging &) = delete;
  Staging &operator=(const Staging &) = delete;

  /// The address of buffer number `slot`, made anew when its size changes.
  uint64_t buffer(size_t slot, uint64_t bytes);

private:
  struct Slot {
    uint64_t address = 0, bytes = 0;
    bool isMade = false;
  };
  ctc_device *device;
  std::vector<Slot> slots;
};

/// Stagings that no call is using. A call takes one and gives it back, so that
/// several threads may call at once.
class StagingPool {
public:
  explicit StagingPool(ctc_device *device) : device(device) {}

  std::unique_ptr<Staging> take();
  void giveBack(std::unique_ptr<Staging> staging);

private:
  ctc_device *device;
  std::mutex mutex;
  std::vector<std::unique_ptr<Staging>> idle;
};

} // namespace ctc::python

#endif // CTC_PYTHON_STAGING_H
