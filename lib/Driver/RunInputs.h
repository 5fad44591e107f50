//===- RunInputs.h - What a layer is run on ---------------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The flags that `ctc run` and `ctc profile` share: an entry of a bundle, its
// batch, and its tensors from files or from a seed.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_DRIVER_RUNINPUTS_H
#define CTC_LIB_DRIVER_RUNINPUTS_H

#include "Commands.h"
#include "ctc/Bundle/Manifest.h"
#include "ctc/Reference/Accumulate.h"
#include "ctc/Reference/Fill.h"

namespace ctc::driver {

struct RunFlags {
  std::string entry; ///< Empty: the only one.
  std::string chip;  ///< Empty: the image that suits the device.
  std::optional<std::string> input, weight, bias;
  /// Name and path; or "" and what was given without a name.
  std::vector<std::pair<std::string, std::string>> operands;
  std::optional<int64_t> batch;
  Fill fill = Fill::Random;
  uint64_t seed = 0;

  /// Whether a tensor comes from a file.
  bool hasFiles() const { return input || weight || bias || !operands.empty(); }
};

/// Fails with Usage.
Expected<RunFlags> readRunFlags(CommandArguments arguments);

/// Sets `path` from a flag that takes @file, if it is given. Fails with Usage.
Expected<void> readReference(CommandArguments arguments, OptionID id,
                             llvm::StringRef flag,
                             std::optional<std::string> &path);

struct RunInputs {
  int64_t batch = 0;
  Problem problem; ///< The entry's, with this batch.
  LayerInputs tensors;
};

/// The inputs of an entry. The batch is what it was compiled for, --batch, the
/// input file's, an operand file's, or 1. Fails with Usage on a flag that does
/// not suit the entry and on files that cannot be read or have another shape.
Expected<RunInputs> makeRunInputs(const Entry &entry, const RunFlags &flags);

} // namespace ctc::driver

#endif // CTC_LIB_DRIVER_RUNINPUTS_H
