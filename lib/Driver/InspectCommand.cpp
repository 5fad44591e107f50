//===- InspectCommand.cpp - ctc inspect -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BundleFile.h"
#include "Commands.h"
#include "InspectReport.h"
#include "Json.h"

using namespace ctc;
using namespace ctc::driver;

static Expected<void> printListing(const Bundle &bundle,
                                   const std::string &chip) {
  std::string chips;
  for (const ChipImage &image : bundle.images) {
    chips += (chips.empty() ? "" : ", ") + image.chip;
    if (image.chip != chip)
      continue;
    if (image.listing.empty())
      return makeError(ErrorCode::Usage,
                       "--listing: the bundle was compiled without -g and "
                       "holds no listing");
    llvm::outs() << image.listing;
    return {};
  }
  return makeError(ErrorCode::Usage,
                   "--listing: the bundle has no image for '" + chip +
                       "', it has " + chips);
}

Expected<void> driver::inspectCommand(CommandArguments arguments) {
  auto path = onlyPositional(arguments, "bundle");
  if (!path)
    return tl::unexpected(path.error());
  auto file = readBundleFile(*path);
  if (!file)
    return tl::unexpected(file.error());
  if (arguments.hasArg(OPT_listing))
    return printListing(file->bundle,
                        arguments.getLastArgValue(OPT_listing).str());
  if (arguments.hasArg(OPT_json))
    printJson(bundleToJson(file->bundle), llvm::outs());
  else
    printBundle(file->bundle, *path, llvm::outs());
  return {};
}
