//===- ModuleImage.h - Where the variables of a module are ------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_PROGRAM_MODULEIMAGE_H
#define CTC_LIB_PTXMACHINE_PROGRAM_MODULEIMAGE_H

#include "Syntax/Syntax.h"
#include "ctc/PtxMachine/Machine.h"

#include <map>
#include <string>

namespace ctc::ptx {

/// The .global and .const variables of a module, placed in a GlobalMemory and
/// initialised. Frees them when it goes.
class ModuleImage {
public:
  explicit ModuleImage(GlobalMemory &memory) : memory(memory) {}
  ~ModuleImage();
  ModuleImage(const ModuleImage &) = delete;
  ModuleImage &operator=(const ModuleImage &) = delete;

  Expected<void> place(const Module &module);
  /// The address of a placed variable, or null.
  const uint64_t *find(const std::string &name) const;

private:
  Expected<void> initialize(const Variable &variable, uint64_t address);

  GlobalMemory &memory;
  std::map<std::string, uint64_t> addresses;
};

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_PROGRAM_MODULEIMAGE_H
