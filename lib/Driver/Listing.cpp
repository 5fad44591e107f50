//===- Listing.cpp - Places in a bundle's listing -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Listing.h"
#include "ctc/Bundle/Manifest.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Regex.h"

using namespace ctc;
using llvm::StringRef;

std::string driver::quoteListing(StringRef message, StringRef listing) {
  llvm::SmallVector<StringRef> lines, match;
  listing.split(lines, '\n');
  const llvm::Regex place(llvm::Regex::escape(kListingName) +
                          ":([0-9]+)(:[0-9]+)?");
  std::string result;
  while (!listing.empty() && place.match(message, &match)) {
    const size_t end = static_cast<size_t>(match[0].end() - message.begin());
    result += message.take_front(end);
    message = message.drop_front(end);
    size_t line = 0;
    if (!match[1].getAsInteger(10, line) && line > 0 && line <= lines.size())
      result += " `" + lines[line - 1].trim().str() + "`";
  }
  return result + message.str();
}
