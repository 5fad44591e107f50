//===- InstructionTraits.cpp - What an instruction costs ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The machine instructions are those of a disassembly: each PTX instruction
// alone in a kernel, assembled by ptxas 13.0 for sm_80 and sm_90a. Where that
// is a loop or a call (divisions of 64 bits, subnormal numbers), the numbers
// are of the path that normal operands take. Multiply-adds of matrix
// instructions are m * n * k of their shape (PTX ISA, "Warp Level Matrix
// Instructions" and "Asynchronous Warpgroup Level Matrix Instructions").
//
//===----------------------------------------------------------------------===//

#include "Counters/InstructionTraits.h"

#include "Program/OpBuilder.h"
#include "Syntax/Types.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace ctc::ptx {

namespace {
/// An instruction's text in words: "fma", {"rn", "f32"}, "%f1, ...;"
struct Words {
  std::string_view opcode;
  std::vector<std::string_view> modifiers;
  std::string_view operands;

  bool has(std::string_view modifier) const {
    return std::find(modifiers.begin(), modifiers.end(), modifier) !=
           modifiers.end();
  }
  bool hasPrefix(std::string_view prefix) const {
    return std::any_of(modifiers.begin(), modifiers.end(),
                       [&](auto word) { return word.starts_with(prefix); });
  }
  /// The type that modifier number `index` of those that name one names.
  Type type(unsigned index = 0) const {
    for (std::string_view word : modifiers)
      if (auto type = parseType(word); type && index-- == 0)
        return *type;
    return kB32;
  }
};

Words split(std::string_view text) {
  if (text.starts_with('@'))
    text.remove_prefix(std::min(text.find(' '), text.size() - 1) + 1);
  const size_t end = std::min(text.find_first_of(" ;"), text.size());
  Words words;
  words.operands = text.substr(end);
  std::string_view left = text.substr(0, end);
  words.opcode = left.substr(0, left.find('.'));
  for (size_t dot; (dot = left.find('.')) != std::string_view::npos;) {
    left.remove_prefix(dot + 1);
    words.modifiers.push_back(left.substr(0, left.find('.')));
  }
  return words;
}

using Traits = InstructionTraits;
using Describe = void (*)(const Words &words, Traits &traits);

/// Registers of 32 bits that a type takes.
uint8_t registers(Type type) { return type.bits > 32 ? 2 : 1; }

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

bool isFloat(Type type) {
  return type.kind == TypeKind::Float || type.kind == TypeKind::BFloat;
}

/// The pipe of an f32, f16 or f64 operation of one machine instruction for each
/// of its elements (f16x2 is one). How many elements it has.
unsigned describeFloat(Type type, Traits &traits) {
  if (type.isFloat(64)) {
    traits = {InstructionClass::Fp64, MultiplyUnit::Fp64, {.fp64 = 1}};
    return 1;
  }
  if (type.isHalf()) {
    traits = {InstructionClass::Fp16, MultiplyUnit::Fp16, {.fp16 = 1}};
    return type.packed ? 2 : 1;
  }
  traits = {
      InstructionClass::Fp32, MultiplyUnit::Fp32, {.fp32 = registers(type)}};
  return registers(type);
}

/// add, sub, abs, neg, and the logic of integers.
void add(const Words &words, Traits &traits) {
  const Type type = words.type();
  if (isFloat(type)) {
    describeFloat(type, traits);
    traits.unit = MultiplyUnit::None;
    return;
  }
  traits.kind = type.isPredicate() ? InstructionClass::Compare
                                   : InstructionClass::Integer;
  traits.pipes.integer = registers(type);
}

void multiplyInteger(const Words &words, Traits &traits) {
  const Type type = words.type();
  traits.kind = InstructionClass::Integer;
  if (words.has("wide") || type.bits == 32)
    traits.pipes = {.fp32 = 1};
  else if (type.bits == 16)
    traits.pipes = {.fp32 = 1, .integer = 2};
  else if (words.has("hi"))
    traits.pipes = {.fp32 = 4, .integer = 2};
  else
    traits.pipes = {.fp32 = 3, .integer = 1};
}

void multiply(const Words &words, Traits &traits) {
  if (isFloat(words.type()))
    return add(words, traits);
  multiplyInteger(words, traits);
}

void multiplyAdd(const Words &words, Traits &traits) {
  if (isFloat(words.type())) {
    traits.threadMultiplyAdds = describeFloat(words.type(), traits);
    return;
  }
  multiplyInteger(words, traits);
  traits.unit = MultiplyUnit::Integer;
  traits.threadMultiplyAdds = 1;
}

void dotProduct(const Words &words, Traits &traits) {
  traits = {InstructionClass::Integer, MultiplyUnit::Integer, {.fp32 = 1}};
  traits.threadMultiplyAdds = words.opcode == "dp4a" ? 4 : 2;
}

/// min and max: of 64 bits, a comparison and a selection of two each.
void extremum(const Words &words, Traits &traits) {
  const Type type = words.type();
  if (type.isFloat(64)) {
    traits.kind = InstructionClass::Fp64;
    traits.pipes = {.integer = 2, .fp64 = 1};
    return;
  }
  add(words, traits);
  if (type.isHalf())
    return;
  traits.pipes = {.integer = static_cast<uint8_t>(type.bits > 32 ? 4 : 1)};
}

/// Bit fields are a shift and a mask.
void bitField(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Integer;
  traits.pipes.integer = static_cast<uint8_t>(registers(words.type()) + 1);
}

/// popc, clz, bfind, brev
void countBits(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Integer;
  traits.pipes.special = registers(words.type());
  traits.pipes.integer = words.opcode == "popc" || words.opcode == "brev"
                             ? static_cast<uint8_t>(registers(words.type()) - 1)
                             : 1;
}

void divide(const Words &words, Traits &traits) {
  const Type type = words.type();
  traits.kind = InstructionClass::Special;
  if (type.isFloat(64))
    traits.pipes = {.integer = 2, .fp64 = 8, .special = 1};
  else if (isFloat(type) && words.has("approx"))
    traits.pipes = {.fp32 = 3, .integer = 1, .special = 1};
  else if (isFloat(type) && words.has("full"))
    traits.pipes = {.fp32 = 5, .integer = 2, .special = 1};
  else if (isFloat(type))
    traits.pipes = {.fp32 = 5, .special = 2, .other = 1};
  else if (type.bits <= 32)
    traits.pipes = {.fp32 = 5, .integer = 8, .special = 3};
  else
    traits.pipes = {.fp32 = 30, .integer = 40, .special = 3, .other = 4};
}

/// rcp, sqrt, rsqrt, sin, cos, lg2, ex2, tanh: one special instruction, and for
/// f32 what scales subnormal numbers, which .ftz saves.
void special(const Words &words, Traits &traits) {
  const Type type = words.type();
  traits.kind = InstructionClass::Special;
  if (type.isFloat(64))
    traits.pipes = {.integer = 2, .fp64 = 6, .special = 1};
  else if (type.isHalf())
    traits.pipes = type.packed ? PipeUse{.integer = 1, .special = 2}
                               : PipeUse{.special = 1};
  else if (words.opcode == "tanh")
    traits.pipes = {.special = 1};
  else if (words.opcode == "sin" || words.opcode == "cos")
    traits.pipes = {.fp32 = 1, .special = 1};
  else if (!words.has("approx"))
    traits.pipes = {.fp32 = 4, .integer = 3, .special = 1};
  else if (words.has("ftz"))
    traits.pipes = {.special = 1};
  else
    traits.pipes = {.fp32 = 2, .integer = 1, .special = 1};
}

//===----------------------------------------------------------------------===//
// Comparisons, conversions, moves
//===----------------------------------------------------------------------===//

/// setp, set, selp, slct
void compare(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Compare;
  const Type type = words.type();
  if (type.isFloat(64) && words.opcode != "selp")
    traits.pipes.fp64 = 1;
  else
    traits.pipes.integer = registers(type);
  if (words.opcode == "set" || words.opcode == "slct")
    ++traits.pipes.integer;
}

/// Widening takes one instruction and narrowing none; .rna.tf32 is three on
/// these chips, and what rounds to an integer is a special one.
void convert(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Convert;
  const Type to = words.type(0), from = words.type(1);
  if (to.kind == TypeKind::TF32)
    traits.pipes.integer = 3;
  else if (to.isFloat(64) || from.isFloat(64))
    traits.pipes.special = 1;
  else if (isFloat(from) && to.isInteger())
    traits.pipes.special = 1;
  else if (from.isHalf())
    traits.pipes.fp16 = 1;
  else if (isFloat(to) || from.bits < 32 || (to.bits == 64 && from.bits < 64))
    traits.pipes.integer = 1;
}

/// A copy of a register is no instruction: the PTX of a compiler gives every
/// value its own register. A literal, an address or a special register is.
void move(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Move;
  const size_t comma = words.operands.rfind(',');
  const size_t start = words.operands.find_first_not_of(' ', comma + 1);
  if (comma == std::string_view::npos || start == std::string_view::npos)
    return;
  std::string_view source = words.operands.substr(start);
  source = source.substr(0, source.find_first_of(" ;"));
  const bool isVector = words.operands.find('{') != std::string_view::npos;
  if (!isVector && (!source.starts_with('%') || findSpecial(source)))
    traits.pipes.integer = 1;
}

/// shfl goes through the pipe of shared memory (32 lanes a clock).
void exchange(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Exchange;
  if (words.opcode == "shfl" || words.opcode == "movmatrix")
    traits.pipes.memory = 1;
  else
    traits.pipes.integer = 1;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

struct Shape {
  uint32_t m = 0, n = 0, k = 0;
};

/// "m16n8k16"
Shape parseShape(const Words &words) {
  for (std::string_view word : words.modifiers) {
    Shape shape;
    const char *at = word.data(), *end = at + word.size();
    bool good = true;
    auto read = [&](char letter, uint32_t &value) {
      good = good && at != end && *at == letter;
      if (!good)
        return;
      auto [behind, error] = std::from_chars(at + 1, end, value);
      good = error == std::errc();
      at = behind;
    };
    read('m', shape.m);
    read('n', shape.n);
    read('k', shape.k);
    if (good && at == end)
      return shape;
  }
  return {};
}

/// What a matrix instruction multiplies: the type in front of the last of
/// .dtype.atype.btype(.ctype), of which mma.sync has four.
MultiplyUnit matrixUnit(const Words &words, bool isWgmma) {
  if (words.has("tf32"))
    return isWgmma ? MultiplyUnit::WgmmaTf32 : MultiplyUnit::MmaTf32;
  if (words.has("f64"))
    return MultiplyUnit::MmaFp64;
  // .f16.f16.f16.f16 as well as .f32.bf16.bf16.f32; f16 sums of fp8 are 8-bit.
  const bool isByte = words.has("s8") || words.has("u8") || words.has("s4") ||
                      words.has("u4") || words.has("b1") ||
                      words.hasPrefix("e4m3") || words.hasPrefix("e5m2") ||
                      words.hasPrefix("e3m2") || words.hasPrefix("e2m3") ||
                      words.hasPrefix("e2m1");
  if (isByte)
    return isWgmma ? MultiplyUnit::Wgmma8 : MultiplyUnit::Mma8;
  return isWgmma ? MultiplyUnit::Wgmma16 : MultiplyUnit::Mma16;
}

void mma(const Words &words, Traits &traits) {
  const Shape shape = parseShape(words);
  traits.kind = InstructionClass::Mma;
  traits.unit = matrixUnit(words, false);
  traits.pipes.other = 1;
  traits.warpMultiplyAdds = shape.m * shape.n * shape.k;
}

/// A comes from registers if the second operand is a vector, else from shared
/// memory, as B always does: N and M rows of 32 bytes.
void wgmma(const Words &words, Traits &traits) {
  traits.pipes.other = 1;
  if (!words.has("mma_async")) {
    traits.kind = InstructionClass::Synchronize;
    return;
  }
  constexpr uint32_t kRowBytes = 32, kWarps = 4;
  const Shape shape = parseShape(words);
  traits.kind = InstructionClass::Wgmma;
  traits.unit = matrixUnit(words, true);
  traits.warpMultiplyAdds = shape.m * shape.n * shape.k / kWarps;
  const size_t end = words.operands.find('}');
  const size_t second = words.operands.find_first_not_of(" ,}", end);
  const bool fromRegisters =
      second != std::string_view::npos && words.operands[second] == '{';
  traits.wgmmaBytes =
      (shape.n + (fromRegisters ? 0 : shape.m)) * kRowBytes / kWarps;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

bool passesL1(const Words &words) {
  const bool isStrong = words.has("volatile") || words.has("mmio") ||
                        words.has("relaxed") || words.has("acquire");
  return words.has("cg") || words.has("cv") || (isStrong && !words.has("cta"));
}

void loadStore(const Words &words, Traits &traits) {
  const bool isLoad = words.opcode != "st";
  traits.pipes.memory = 1;
  traits.isCached = !passesL1(words);
  if (words.has("global"))
    traits.kind =
        isLoad ? InstructionClass::GlobalLoad : InstructionClass::GlobalStore;
  else if (words.hasPrefix("shared"))
    traits.kind =
        isLoad ? InstructionClass::SharedLoad : InstructionClass::SharedStore;
  else if (words.has("local"))
    traits.kind = InstructionClass::LocalAccess;
  else if (words.has("const") || words.hasPrefix("param"))
    traits.kind =
        isLoad ? InstructionClass::ConstantLoad : InstructionClass::LocalAccess;
  else
    traits.kind = InstructionClass::GenericAccess;
}

void matrixMemory(const Words &words, Traits &traits) {
  traits.pipes.memory = 1;
  traits.kind = words.opcode == "ldmatrix" ? InstructionClass::SharedLoad
                                           : InstructionClass::SharedStore;
}

void atomic(const Words &, Traits &traits) {
  traits.pipes.memory = 1;
  traits.isCached = false;
  traits.kind = InstructionClass::Atomic;
}

void asyncCopy(const Words &words, Traits &traits) {
  traits.pipes.memory = 1;
  traits.isCached = words.has("ca");
  traits.kind = words.has("commit_group") || words.has("wait_group") ||
                        words.has("wait_all") || words.has("mbarrier")
                    ? InstructionClass::Synchronize
                    : InstructionClass::AsyncCopy;
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

void synchronize(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Synchronize;
  if (words.opcode == "mbarrier")
    traits.pipes.memory = 1;
  else
    traits.pipes.other = 1;
}

void control(const Words &, Traits &traits) {
  traits.kind = InstructionClass::Control;
  traits.pipes.other = 1;
}

/// Conversions of addresses between windows.
void address(const Words &words, Traits &traits) {
  traits.kind = InstructionClass::Integer;
  traits.pipes.integer = words.has("global") ? 0 : 2;
}

using Table = std::map<std::string_view, Describe>;

void addAll(Table &table, std::initializer_list<std::string_view> opcodes,
            Describe describe) {
  for (std::string_view opcode : opcodes)
    table[opcode] = describe;
}

Table makeTable() {
  Table table;
  addAll(table, {"add", "addc", "sub", "subc", "abs",      "neg",   "and",
                 "or",  "xor",  "not", "cnot", "lop3",     "shl",   "shr",
                 "shf", "prmt", "sad", "bmsk", "copysign", "szext", "testp"},
         add);
  addAll(table, {"mul", "mul24"}, multiply);
  addAll(table, {"mad", "madc", "mad24", "fma"}, multiplyAdd);
  addAll(table, {"dp4a", "dp2a"}, dotProduct);
  addAll(table, {"min", "max"}, extremum);
  addAll(table, {"bfe", "bfi"}, bitField);
  addAll(table, {"popc", "clz", "bfind", "brev", "fns"}, countBits);
  addAll(table, {"div", "rem"}, divide);
  addAll(table, {"rcp", "sqrt", "rsqrt", "sin", "cos", "lg2", "ex2", "tanh"},
         special);
  addAll(table, {"setp", "set", "selp", "slct"}, compare);
  addAll(table, {"cvt"}, convert);
  addAll(table, {"mov"}, move);
  addAll(table,
         {"shfl", "vote", "match", "redux", "activemask", "elect", "movmatrix"},
         exchange);
  addAll(table, {"mma"}, mma);
  addAll(table, {"wgmma"}, wgmma);
  addAll(table, {"ld", "ldu", "st"}, loadStore);
  addAll(table, {"ldmatrix", "stmatrix"}, matrixMemory);
  addAll(table, {"atom", "red"}, atomic);
  addAll(table, {"cp"}, asyncCopy);
  addAll(table,
         {"bar", "barrier", "membar", "fence", "mbarrier", "griddepcontrol"},
         synchronize);
  addAll(table, {"bra", "brx", "call", "ret", "exit", "trap"}, control);
  addAll(table, {"cvta", "isspacep", "mapa", "getctarank"}, address);
  return table;
}

} // namespace

InstructionTraits instructionTraits(std::string_view text) {
  static const Table table = makeTable();
  const Words words = split(text);
  InstructionTraits traits;
  if (auto found = table.find(words.opcode); found != table.end())
    found->second(words, traits);
  else
    traits.pipes.other = 1;
  return traits;
}

} // namespace ctc::ptx
