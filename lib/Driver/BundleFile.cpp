//===- BundleFile.cpp - Bundles from files and standard input -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BundleFile.h"
#include "Input.h"
#include "ctc/Bundle/Bundle.h"

using namespace ctc;
using namespace ctc::driver;

Expected<BundleFile> driver::readBundleFile(const std::string &path) {
  auto bytes = readInput(path);
  if (!bytes)
    return tl::unexpected(bytes.error());
  BundleFile file{std::move(*bytes), {}};
  auto bundle = deserialize(file.span());
  if (!bundle)
    return makeError(bundle.error().code,
                     "'" + path + "': " + bundle.error().message);
  file.bundle = std::move(*bundle);
  return file;
}
