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

Expected<void> driver::inspectCommand(CommandArguments arguments) {
  auto path = onlyPositional(arguments, "bundle");
  if (!path)
    return tl::unexpected(path.error());
  auto file = readBundleFile(*path);
  if (!file)
    return tl::unexpected(file.error());
  if (arguments.hasArg(OPT_json))
    printJson(bundleToJson(file->bundle), llvm::outs());
  else
    printBundle(file->bundle, *path, llvm::outs());
  return {};
}
