//===- MatrixMultiply.cpp - mma.sync --------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Matrix multiply-accumulate operation using mma instruction", the
// dense ones of sm_80 to sm_90:
//
//   | A, B           | C, D     | shapes                             |
//   |----------------|----------|------------------------------------|
//   | f16            | f32, f16 | m16n8k8, m16n8k16                  |
//   | bf16           | f32      | m16n8k8, m16n8k16                  |
//   | tf32           | f32      | m16n8k4, m16n8k8                   |
//   | e4m3, e5m2     | f32, f16 | m16n8k16, m16n8k32                 |
//   | s8, u8         | s32      | m8n8k16, m16n8k16, m16n8k32        |
//   | s4, u4         | s32      | m8n8k32, m16n8k32, m16n8k64        |
//   | b1 (xor, and)  | s32      | m8n8k128, m16n8k128, m16n8k256     |
//   | f64            | f64      | m8n8k4, m16n8k4, m16n8k8, m16n8k16 |
//
// Floats are summed as MatrixArithmetic.h says; f64 in the same order, in f64.
// Sums of integers are exact, then wrapped to 32 bits or, with .satfinite,
// clamped. NaN: f32 0x7fffffff, f16 0x7fff, f64 0x7ff8000000000000.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatFunctions.h"
#include "Families/MatrixFragments.h"

#include <algorithm>
#include <cfenv>
#include <charconv>

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

constexpr unsigned kColumns = 8;
constexpr unsigned kMaxRows = 16;
constexpr unsigned kMaxDepth = 64; ///< Of what is computed in f32: s4, u4.
constexpr unsigned kMaxSums = kMaxRows * kColumns;

/// How Op::mode of an mma reads.
struct Form {
  unsigned blocks = 1; ///< Of 8 rows.
  unsigned chunks = 1; ///< Of k: what one register of A holds of it.
  bool saturates = false;
  bool isAnd = false;    ///< Of b1: .and, else .xor.
  unsigned rounding = 0; ///< Of f64: .rn, .rz, .rm, .rp.

  uint16_t encode() const {
    return static_cast<uint16_t>(blocks | chunks << 2 |
                                 unsigned(saturates) << 6 |
                                 unsigned(isAnd) << 7 | rounding << 8);
  }
  static CTC_SCALAR Form decode(uint16_t mode) {
    Form form;
    form.blocks = mode & 3u;
    form.chunks = mode >> 2 & 15u;
    form.saturates = mode >> 6 & 1;
    form.isAnd = mode >> 7 & 1;
    form.rounding = mode >> 8 & 3u;
    return form;
  }
};

/// The rows of the operands, one vector after the other.
struct Registers {
  const uint32_t *d, *a, *b, *c;
};

/// `perBlock` is how many registers of C hold 8 rows.
CTC_SCALAR Registers registersOf(const Warp &warp, const Op &op,
                                 const Form &form, unsigned perBlock) {
  const uint32_t *first = op.count > kInlineOperands
                              ? warp.block->wideOperands + op.r[0]
                              : op.r.data();
  Registers result;
  result.d = first;
  result.a = result.d + form.blocks * perBlock;
  result.b = result.a + form.blocks * form.chunks;
  result.c = result.b + form.chunks;
  return result;
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

struct FloatSums {
  static constexpr unsigned kPerBlock = 2;
  static CTC_SCALAR void load(float *d, const Warp &warp, const uint32_t *slots,
                              unsigned blocks) {
    loadSums(d, warp, slots, blocks);
  }
  static CTC_SCALAR void store(float *d, const Warp &warp,
                               const uint32_t *slots, unsigned blocks) {
    canonicalResults(d, blocks * kFragmentLines * kColumns);
    storeSums(d, warp, slots, blocks);
  }
};

struct HalfSums {
  static constexpr unsigned kPerBlock = 1;
  static constexpr unsigned kPerRegister = 2 * kWarpSize;
  static CTC_SCALAR void load(float *d, const Warp &warp, const uint32_t *slots,
                              unsigned blocks) {
    for (unsigned block = 0; block < blocks; ++block)
      expand<Half>(d + block * kPerRegister, warp.registers + slots[block],
                   kPerRegister);
  }
  static CTC_SCALAR void store(float *d, const Warp &warp,
                               const uint32_t *slots, unsigned blocks) {
    canonicalResults(d, blocks * kFragmentLines * kColumns);
    for (unsigned block = 0; block < blocks; ++block) {
      auto *to = reinterpret_cast<uint16_t *>(warp.registers + slots[block]);
      for (unsigned i = 0; i < kPerRegister; ++i)
        to[i] = toHalf(d[block * kPerRegister + i]).bits;
    }
  }
};

template <class A, class B, class Sums>
CTC_LANES bool multiplyFloats(Warp &warp, const Op &op, LaneMask mask) {
  if (!isWholeWarp(warp, mask))
    return false;
  const Form form = Form::decode(op.mode);
  const Registers at = registersOf(warp, op, form, Sums::kPerBlock);
  alignas(64) float a[kMaxRows * kMaxDepth], b[kMaxDepth * kColumns];
  alignas(64) float d[kMaxSums];
  Sums::load(d, warp, at.c, form.blocks);
  loadLeft<A>(a, warp, at.a, form.blocks, form.chunks);
  loadRight<B>(b, warp, at.b, form.chunks);
  multiplyAdd(d, a, b, form.blocks * kFragmentLines, kColumns,
              form.chunks * kPerChunk<A>);
  Sums::store(d, warp, at.d, form.blocks);
  return true;
}

/// `result` = fma chains over a (rows x depth) and b (depth x 8), like
/// multiplyAdd but in f64.
CTC_LANES void multiplyAddDoubles(double *d, const double *a, const double *b,
                                  unsigned rows, unsigned depth) {
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned k = 0; k < depth; ++k)
      for (unsigned column = 0; column < kColumns; ++column)
        d[row * kColumns + column] =
            __builtin_fma(a[row * depth + k], b[k * kColumns + column],
                          d[row * kColumns + column]);
}

/// A chunk of f64 is 4 of k: the row of a register is 8 lines of 4.
CTC_LANES bool multiplyDoubles(Warp &warp, const Op &op, LaneMask mask) {
  if (!isWholeWarp(warp, mask))
    return false;
  const Form form = Form::decode(op.mode);
  const Registers at = registersOf(warp, op, form, FloatSums::kPerBlock);
  constexpr unsigned kChunk = kFragmentWords;
  const unsigned depth = form.chunks * kChunk;
  double a[kMaxRows * 16], b[16 * kColumns], d[kMaxSums];
  loadSums(d, warp, at.c, form.blocks);
  for (unsigned chunk = 0; chunk < form.chunks; ++chunk) {
    for (unsigned block = 0; block < form.blocks; ++block) {
      const auto *from = reinterpret_cast<const double *>(
          warp.registers + at.a[chunk * form.blocks + block]);
      for (unsigned lane = 0; lane < kWarpSize; ++lane)
        a[(block * kFragmentLines + lane / kChunk) * depth + chunk * kChunk +
          lane % kChunk] = from[lane];
    }
    const auto *from =
        reinterpret_cast<const double *>(warp.registers + at.b[chunk]);
    for (unsigned lane = 0; lane < kWarpSize; ++lane)
      b[(chunk * kChunk + lane % kChunk) * kColumns + lane / kChunk] =
          from[lane];
  }
  static constexpr int kModes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                                   FE_UPWARD};
  std::fesetround(kModes[form.rounding]);
  multiplyAddDoubles(d, a, b, form.blocks * kFragmentLines, depth);
  std::fesetround(FE_TONEAREST);
  for (unsigned i = 0; i < form.blocks * kFragmentLines * kColumns; ++i)
    d[i] = d[i] != d[i] ? canonicalNan<double>() : d[i];
  storeSums(d, warp, at.d, form.blocks);
  return true;
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// d = c + the sum of products, which is exact.
CTC_SCALAR void addToSums(Warp &warp, const Registers &at, const Form &form,
                          const int32_t *products) {
  int32_t d[kMaxSums];
  loadSums(d, warp, at.c, form.blocks);
  for (unsigned i = 0; i < form.blocks * kFragmentLines * kColumns; ++i) {
    const int64_t sum = int64_t(d[i]) + products[i];
    const int64_t clamped = sum > INT32_MAX   ? INT32_MAX
                            : sum < INT32_MIN ? INT32_MIN
                                              : sum;
    d[i] = static_cast<int32_t>(form.saturates ? clamped : sum);
  }
  storeSums(d, warp, at.d, form.blocks);
}

/// The sums of products are below 2^22 and so are exact in f32.
template <class A, class B>
CTC_LANES bool multiplyIntegers(Warp &warp, const Op &op, LaneMask mask) {
  if (!isWholeWarp(warp, mask))
    return false;
  const Form form = Form::decode(op.mode);
  const Registers at = registersOf(warp, op, form, FloatSums::kPerBlock);
  alignas(64) float a[kMaxRows * kMaxDepth], b[kMaxDepth * kColumns];
  alignas(64) float sums[kMaxSums] = {};
  loadLeft<A>(a, warp, at.a, form.blocks, form.chunks);
  loadRight<B>(b, warp, at.b, form.chunks);
  multiplyAdd(sums, a, b, form.blocks * kFragmentLines, kColumns,
              form.chunks * kPerChunk<A>);
  int32_t products[kMaxSums];
  for (unsigned i = 0; i < kMaxSums; ++i)
    products[i] = static_cast<int32_t>(sums[i]);
  addToSums(warp, at, form, products);
  return true;
}

/// b1: products are the bits of a ^ b or a & b.
CTC_LANES bool multiplyBits(Warp &warp, const Op &op, LaneMask mask) {
  if (!isWholeWarp(warp, mask))
    return false;
  const Form form = Form::decode(op.mode);
  const Registers at = registersOf(warp, op, form, FloatSums::kPerBlock);
  int32_t counts[kMaxSums] = {};
  for (unsigned chunk = 0; chunk < form.chunks; ++chunk)
    for (unsigned row = 0; row < form.blocks * kFragmentLines; ++row) {
      const uint32_t slot = at.a[chunk * form.blocks + row / kFragmentLines];
      const auto *a = reinterpret_cast<const uint32_t *>(
          warp.registers + slot + row % kFragmentLines * kFragmentLineBytes);
      const auto *b =
          reinterpret_cast<const uint32_t *>(warp.registers + at.b[chunk]);
      for (unsigned lane = 0; lane < kWarpSize; ++lane) {
        const uint32_t left = a[lane % kFragmentWords], right = b[lane];
        counts[row * kColumns + lane / kFragmentWords] +=
            __builtin_popcount(form.isAnd ? left & right : left ^ right);
      }
    }
  addToSums(warp, at, form, counts);
  return true;
}

//===----------------------------------------------------------------------===//
// Decoder
//===----------------------------------------------------------------------===//

enum class Element { F16, BF16, TF32, E4M3, E5M2, S8, U8, S4, U4, B1, F64 };

struct ElementName {
  std::string_view name;
  Element element;
  unsigned perChunk; ///< Elements of k in what one register of A holds.
};
constexpr ElementName kElements[] = {
    {"f16", Element::F16, 8},    {"bf16", Element::BF16, 8},
    {"tf32", Element::TF32, 4},  {"e4m3", Element::E4M3, 16},
    {"e5m2", Element::E5M2, 16}, {"s8", Element::S8, 16},
    {"u8", Element::U8, 16},     {"s4", Element::S4, 32},
    {"u4", Element::U4, 32},     {"b1", Element::B1, 128},
    {"f64", Element::F64, 4},
};

const ElementName *findElement(std::string_view name) {
  for (const ElementName &element : kElements)
    if (element.name == name)
      return &element;
  return nullptr;
}

template <class A, class B> Handler floats(bool halfSums) {
  return halfSums ? multiplyFloats<A, B, HalfSums>
                  : multiplyFloats<A, B, FloatSums>;
}

template <class First, class Second>
Handler pickIntegers(bool firstA, bool firstB) {
  if (firstA)
    return firstB ? multiplyIntegers<First, First>
                  : multiplyIntegers<First, Second>;
  return firstB ? multiplyIntegers<Second, First>
                : multiplyIntegers<Second, Second>;
}

/// The handler for these elements, or none if they do not go together.
Handler pickHandler(Element a, Element b, bool halfSums) {
  auto both = [=](Element first, Element second) {
    return (a == first || a == second) && (b == first || b == second);
  };
  if (both(Element::E4M3, Element::E5M2)) {
    if (a == Element::E4M3)
      return b == Element::E4M3 ? floats<E4M3, E4M3>(halfSums)
                                : floats<E4M3, E5M2>(halfSums);
    return b == Element::E4M3 ? floats<E5M2, E4M3>(halfSums)
                              : floats<E5M2, E5M2>(halfSums);
  }
  if (both(Element::S8, Element::U8))
    return pickIntegers<S8, U8>(a == Element::S8, b == Element::S8);
  if (both(Element::S4, Element::U4))
    return pickIntegers<S4, U4>(a == Element::S4, b == Element::S4);
  if (a != b)
    return nullptr;
  switch (a) {
  case Element::F16:
    return floats<Half, Half>(halfSums);
  case Element::BF16:
    return multiplyFloats<BHalf, BHalf, FloatSums>;
  case Element::TF32:
    return multiplyFloats<TF32, TF32, FloatSums>;
  case Element::B1:
    return multiplyBits;
  default:
    return multiplyDoubles;
  }
}

/// The type of accumulators of these elements; `wanted` if it is possible.
std::string_view sumsOf(Element element, std::string_view wanted) {
  if (element == Element::F64)
    return "f64";
  if (element >= Element::S8)
    return "s32";
  const bool canBeHalf = element == Element::F16 || element == Element::E4M3 ||
                         element == Element::E5M2;
  return canBeHalf && wanted == "f16" ? "f16" : "f32";
}

/// "m16n8k8" as {16, 8, 8}; false for anything else.
bool parseShape(std::string_view text, unsigned (&sizes)[3]) {
  const char *at = text.data(), *end = at + text.size();
  for (size_t i = 0; i < 3; ++i) {
    if (at == end || *at != "mnk"[i])
      return false;
    auto [next, error] = std::from_chars(at + 1, end, sizes[i]);
    if (error != std::errc())
      return false;
    at = next;
  }
  return at == end;
}

std::vector<Operand> elementsOf(const Operand &operand) {
  return operand.kind == Operand::Kind::Vector ? operand.elements
                                               : std::vector{operand};
}

/// What an mma's modifiers say.
struct Multiplication {
  Form form;
  const ElementName *a = nullptr, *b = nullptr;
  std::string_view sums;
  Handler run = nullptr;
};

/// Shape and types; false if they are none of the table above.
bool takeShapeAndTypes(OpBuilder &b, Multiplication &it) {
  unsigned sizes[3] = {};
  std::vector<std::string_view> types; // D, A, B, C.
  for (const std::string &modifier : b.instruction().modifiers) {
    bool isType =
        findElement(modifier) || modifier == "f32" || modifier == "s32";
    if (isType)
      types.push_back(modifier);
    if ((isType || parseShape(modifier, sizes)) && !b.take(modifier))
      return false;
  }
  if (types.size() != 4 || types[0] != types[3])
    return false;
  it.a = findElement(types[1]);
  it.b = findElement(types[2]);
  if (!it.a || !it.b)
    return false;
  it.sums = sumsOf(it.a->element, types[0]);
  it.run = pickHandler(it.a->element, it.b->element, it.sums == "f16");
  it.form.blocks = sizes[0] / kFragmentLines;
  it.form.chunks = sizes[2] / it.a->perChunk;
  const bool isDouble = it.a->element == Element::F64;
  const bool isLow = sizes[0] == 8 && sizes[2] == it.a->perChunk &&
                     it.a->element >= Element::S8;
  const bool isHigh = sizes[0] == 16 && sizes[2] % it.a->perChunk == 0 &&
                      (it.form.chunks == 1 || it.form.chunks == 2 ||
                       (it.form.chunks == 4 && isDouble));
  return it.run && it.sums == types[0] && sizes[1] == kColumns &&
         (isLow || isHigh);
}

/// .satfinite of integers, .rnd of f64, .bitOp.popc of b1.
void takeOptions(OpBuilder &b, Multiplication &it) {
  const Element element = it.a->element;
  if (element == Element::F64)
    it.form.rounding = static_cast<unsigned>(
        std::max(b.takeOneOf({"rn", "rz", "rm", "rp"}), 0));
  if (element == Element::B1) {
    it.form.isAnd = b.take("and");
    if ((it.form.isAnd || b.take("xor")) && b.take("popc"))
      return;
    b.malformed("an operation on bits must be .xor.popc or .and.popc");
  } else if (it.sums == "s32") {
    it.form.saturates = b.take("satfinite");
  }
}

/// What is refused by name.
bool refuse(OpBuilder &b) {
  const std::vector<std::string> &modifiers = b.instruction().modifiers;
  auto has = [&](std::string_view prefix) {
    return std::any_of(
        modifiers.begin(), modifiers.end(),
        [=](const std::string &text) { return text.starts_with(prefix); });
  };
  const char *what =
      has("sp")       ? "sparse matrices are not supported by the machine"
      : has("kind::") ? "mma with a .kind is not supported by the machine"
      : has("m8n8k4") && !has("f64")
          ? "m8n8k4 of .f16 is not supported by the machine; m16n8k8 and "
            "m16n8k16 are"
          : nullptr;
  if (what)
    b.malformed(what);
  return what != nullptr;
}

/// Appends the registers of one operand.
void addVector(OpBuilder &b, std::vector<Slot> &slots, size_t index,
               size_t wanted, Type type) {
  std::vector<Operand> elements = elementsOf(b.operand(index));
  if (elements.size() != wanted) {
    b.malformed("operand " + std::to_string(index + 1) + " has " +
                std::to_string(elements.size()) + " registers where " +
                std::to_string(wanted) + " are needed");
    return;
  }
  for (const Operand &element : elements)
    slots.push_back(index == 0 ? b.def(element, type) : b.use(element, type));
}

/// mma.sync.aligned.shape.row.col{.options}.dtype.atype.btype.ctype d, a, b, c
Decode decodeMultiply(OpBuilder &b) {
  if (refuse(b))
    return Decode::Done;
  Multiplication it;
  if (!b.take("sync") || !b.take("aligned") || !b.take("row") ||
      !b.take("col") || !takeShapeAndTypes(b, it) || b.operandCount() != 4)
    return Decode::NotMine;
  takeOptions(b, it);
  if (!b.allTaken())
    return Decode::NotMine;
  const bool isDouble = it.sums == "f64";
  const Type type = isDouble ? kB64 : kB32;
  const size_t sums = it.form.blocks * (it.sums == "f16" ? 1 : 2);
  std::vector<Slot> slots;
  addVector(b, slots, 0, sums, type);
  addVector(b, slots, 1, it.form.blocks * it.form.chunks, type);
  addVector(b, slots, 2, it.form.chunks, type);
  addVector(b, slots, 3, sums, type);
  Op &op = b.emit({it.run, it.run}, slots);
  op.count = static_cast<uint16_t>(slots.size());
  op.mode = it.form.encode();
  return Decode::Done;
}

} // namespace

void addMatrixMultiply(DecoderTable &table) {
  table.insert({"mma", decodeMultiply});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
