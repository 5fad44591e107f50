//===- Manifest.h - What a bundle says about itself -------------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A manifest describes the entries of one chip's image: for each, the problem,
// the typed argument list, the launches that prepare its weights and run it,
// and how much work the kernel does beside what is useful. Every chip of a
// bundle has a manifest of its own, because another chip may get another
// kernel; names, problems and user-visible arguments are the same in all.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_BUNDLE_MANIFEST_H
#define CTC_BUNDLE_MANIFEST_H

#include "ctc/Support/Epilogue.h"
#include "ctc/Support/Problem.h"
#include "ctc/Support/WorkFactors.h"

#include <array>

namespace ctc {

/// What a buffer means to an entry.
enum class ArgumentRole : uint8_t {
  Input,        ///< x
  Weight,       ///< w as the user has it; read by prepare launches only
  PackedWeight, ///< written by prepare launches, read by run launches
  Bias,         ///< f32 or the problem's type, one per output channel
  Operand,      ///< an extra operand of the epilogue
  Output,       ///< y
  Scratch,      ///< owned by the caller, per launch
};

/// A buffer of an entry. Pointers are bare, global, and aligned to 16 bytes.
struct Argument {
  std::string name;
  ArgumentRole role = ArgumentRole::Input;
  ElementType type = ElementType::F32;
  std::vector<int64_t> shape; ///< In elements; kDynamic where it is the batch.

  bool operator==(const Argument &) const = default;
};

/// Number of blocks along x: blocksPerTile * ceil(N / batchTile), N the batch,
/// or just blocksPerTile when batchTile is 0. y and z are 1.
struct Grid {
  int64_t blocksPerTile = 1;
  int64_t batchTile = 1;

  bool operator==(const Grid &) const = default;
};

/// One kernel launch. The kernel's parameters are the 64-bit addresses of the
/// listed arguments in order, then, if `passesBatch`, N as a 64-bit integer.
struct Launch {
  std::string kernel;
  std::vector<uint32_t> arguments; ///< Indices into Entry::arguments.
  bool passesBatch = false;
  Grid grid;
  std::array<uint32_t, 3> block{1, 1, 1};
  uint32_t dynamicSharedBytes = 0;
  /// The kernel itself waits for the grids before it in the stream before it
  /// touches memory, so it may be launched while they still run.
  bool programmatic = false;

  bool operator==(const Launch &) const = default;
};

/// One function that a user of the bundle can call.
struct Entry {
  std::string name;
  Problem problem;
  Epilogue epilogue;
  std::vector<Argument> arguments;
  std::vector<Launch> prepare; ///< Once per weight.
  std::vector<Launch> run;     ///< Per call, in order; empty for empty outputs.
  std::string family;          ///< "simt", ...
  std::string kernel;          ///< The #ctc.kernel attribute as text.
  std::string choiceSource;    ///< "explicit", "table" or "heuristic".
  std::string choiceReason;    ///< One sentence.
  WorkFactors work;

  bool operator==(const Entry &) const = default;
};

struct Manifest {
  std::vector<Entry> entries;

  bool operator==(const Manifest &) const = default;
};

/// ptxas's report on one kernel.
struct KernelResources {
  std::string kernel;
  uint32_t registers = 0;       ///< Per thread.
  uint32_t spillStoreBytes = 0; ///< Per thread.
  uint32_t spillLoadBytes = 0;  ///< Per thread.
  uint32_t stackBytes = 0;      ///< Per thread.
  uint32_t staticSharedBytes = 0;
  std::vector<std::string> warnings;

  bool operator==(const KernelResources &) const = default;
};

/// The file name of ChipImage::listing in the PTX's .file directives.
constexpr const char *kListingName = "kernels.mlir";

/// Everything that belongs to one chip.
struct ChipImage {
  std::string chip; ///< "sm_90a"
  Manifest manifest;
  std::string ptx; ///< UTF-8 text.
  std::vector<uint8_t> cubin;
  std::string assembler; ///< "ptxas 13.0.88"
  std::vector<KernelResources> resources;
  /// The kernels as MLIR, as the last rung before the NVVM dialect has them;
  /// the PTX's .loc directives point into it. Empty unless compiled with -g.
  std::string listing;

  bool operator==(const ChipImage &) const = default;
};

/// A compiled module for one or more chips.
struct Bundle {
  std::string producer;          ///< "ctc 0.1.0 (LLVM 22.1.8)"
  std::vector<ChipImage> images; ///< At least one; no chip twice.

  bool operator==(const Bundle &) const = default;
};

} // namespace ctc

#endif // CTC_BUNDLE_MANIFEST_H
