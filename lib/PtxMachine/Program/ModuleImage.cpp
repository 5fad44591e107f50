//===- ModuleImage.cpp - Where the variables of a module are --------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Program/ModuleImage.h"

#include "Syntax/Lexer.h"

#include <bit>
#include <cstring>

namespace ctc::ptx {

ModuleImage::~ModuleImage() {
  for (const auto &[name, address] : addresses)
    (void)memory.free(address);
}

const uint64_t *ModuleImage::find(const std::string &name) const {
  auto found = addresses.find(name);
  return found == addresses.end() ? nullptr : &found->second;
}

Expected<void> ModuleImage::place(const Module &module) {
  for (const Variable &variable : module.variables) {
    if (variable.space == Space::Shared)
      continue;
    if (variable.isExternal)
      return ptxError(variable.line,
                      "the variable '" + variable.name +
                          "' is .extern; a module is run by itself, so every "
                          "variable needs its definition in it");
    if (variable.alignment > 256)
      return ptxError(variable.line, "the variable '" + variable.name +
                                         "' is aligned to " +
                                         std::to_string(variable.alignment) +
                                         " bytes; at most 256 are possible");
    if (addresses.count(variable.name))
      return ptxError(variable.line,
                      "the variable '" + variable.name + "' is defined twice");
    auto address = memory.allocate(variable.bytes);
    if (!address)
      return tl::unexpected<Error>(address.error());
    addresses[variable.name] = *address;
    // What has no initialiser is zero.
    if (auto marked = memory.setInitialized(*address, variable.bytes); !marked)
      return marked;
  }
  // Initialisers may name variables further down.
  for (const Variable &variable : module.variables)
    if (const uint64_t *address = find(variable.name))
      if (auto done = initialize(variable, *address); !done)
        return done;
  return {};
}

/// The bits of a literal as a value of `type`. A decimal float may stand for
/// either float width.
static uint64_t literalBits(const Initializer &element, Type type) {
  if (element.literal == LiteralKind::Float64 && type.isFloat(32))
    return std::bit_cast<uint32_t>(
        static_cast<float>(std::bit_cast<double>(element.bits)));
  if (element.literal == LiteralKind::Float32 && type.isFloat(64))
    return std::bit_cast<uint64_t>(static_cast<double>(
        std::bit_cast<float>(static_cast<uint32_t>(element.bits))));
  return element.bits;
}

Expected<void> ModuleImage::initialize(const Variable &variable,
                                       uint64_t address) {
  auto *bytes = reinterpret_cast<char *>(address);
  for (const Initializer &element : variable.initial) {
    uint64_t value = literalBits(element, variable.type);
    if (!element.symbol.empty()) {
      const uint64_t *target = find(element.symbol);
      if (!target)
        return ptxError(variable.line,
                        "the initialiser of '" + variable.name + "' names '" +
                            element.symbol +
                            "', which is no .global or .const variable of "
                            "this module");
      value += *target;
      if (element.mask)
        value = (value & element.mask) >> std::countr_zero(element.mask);
    }
    std::memcpy(bytes, &value, variable.type.bytes());
    bytes += variable.type.bytes();
  }
  return {};
}

} // namespace ctc::ptx
