//===- Listing.h - Places in a bundle's listing -----------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_LISTING_H
#define CTC_LIB_DRIVER_LISTING_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace ctc::driver {

/// `message` with the operation quoted behind every place it names in the
/// listing of a bundle compiled with -g (ChipImage::listing), as in
/// "kernels.mlir:57:12 `memref.store ...`". An empty listing leaves it as it
/// is.
std::string quoteListing(llvm::StringRef message, llvm::StringRef listing);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_LISTING_H
