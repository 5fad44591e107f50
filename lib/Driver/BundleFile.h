//===- BundleFile.h - Bundles from files and standard input -----*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_BUNDLEFILE_H
#define CTC_LIB_DRIVER_BUNDLEFILE_H

#include "ctc/Bundle/Manifest.h"

#include <span>

namespace ctc::driver {

/// A bundle and the bytes it was read from, which the runtime wants.
struct BundleFile {
  std::string bytes;
  Bundle bundle;

  std::span<const uint8_t> span() const {
    return {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()};
  }
};

/// Reads a bundle; "-" is standard input. Fails with Usage when it cannot be
/// read, with DeviceError, naming the file, when it is no sound bundle.
Expected<BundleFile> readBundleFile(const std::string &path);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_BUNDLEFILE_H
