//===- Compare.cpp - setp, set --------------------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Comparison and Selection Instructions". An ordered comparison
// (eq, lt, ...) with a NaN is false, an unordered one (equ, ltu, ...) true. lo,
// ls, hi and hs compare unsigned. .ftz takes subnormal f32 for zero.
//
//===----------------------------------------------------------------------===//

#include "Families/Families.h"
#include "Families/FloatFunctions.h"
#include "Families/HalfFunctions.h"
#include "Families/IntegerTypes.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

enum class Relation { Eq, Ne, Lt, Le, Gt, Ge, Num, Nan };

/// A relation of numbers, or'ed with "unordered" where the name ends in u.
template <Relation R, bool Unordered, bool Ftz> struct Compare {
  template <class T> static CTC_SCALAR bool apply(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      a = flush<Ftz>(a);
      b = flush<Ftz>(b);
      const bool nan = (a != a) | (b != b);
      if constexpr (R == Relation::Num)
        return !nan;
      else if constexpr (R == Relation::Nan)
        return nan;
      else if constexpr (R == Relation::Ne) // a != b holds for a NaN.
        return Unordered ? a != b : (a != b) & !nan;
      else
        return Unordered ? relate(a, b) | nan : relate(a, b);
    } else {
      return relate(a, b);
    }
  }
  static CTC_SCALAR bool apply(Half a, Half b) {
    if constexpr (Ftz)
      return apply(toFloat(flushHalf(a)), toFloat(flushHalf(b)));
    return apply(toFloat(a), toFloat(b));
  }
  static CTC_SCALAR bool apply(BHalf a, BHalf b) {
    return apply(toFloat(a), toFloat(b));
  }
  template <class T> static CTC_SCALAR bool relate(T a, T b) {
    if constexpr (R == Relation::Eq)
      return a == b;
    else if constexpr (R == Relation::Ne)
      return a != b;
    else if constexpr (R == Relation::Lt)
      return a < b;
    else if constexpr (R == Relation::Le)
      return a <= b;
    else if constexpr (R == Relation::Gt)
      return a > b;
    else
      return a >= b;
  }
};

enum class Combine : uint16_t { None, And, Or, Xor };

LaneMask combine(Combine how, LaneMask a, LaneMask b) {
  switch (how) {
  case Combine::None:
    return a;
  case Combine::And:
    return a & b;
  case Combine::Or:
    return a | b;
  case Combine::Xor:
    return a ^ b;
  }
  return a;
}

/// setp.Fn{.bool} p|q, a, b, c: p = Fn bool c, q = not Fn bool c.
/// Operands p, q, a, b, c; op.mode is the Combine.
template <class Fn, class T>
CTC_LANES bool setPredicate(Warp &warp, const Op &op, LaneMask mask) {
  const LaneMask result =
      compareLanes<Fn, T>(rowOf<T>(warp, op.r[2]), rowOf<T>(warp, op.r[3]));
  const LaneMask third = warp.predicates[op.r[4]];
  const auto how = static_cast<Combine>(op.mode);
  LaneMask &q = warp.predicates[op.r[1]];
  q = (q & ~mask) | (combine(how, ~result, third) & mask);
  LaneMask &p = warp.predicates[op.r[0]];
  p = (p & ~mask) | (combine(how, result, third) & mask);
  return true;
}

/// set.Fn{.bool}.d.s d, a, b, c: true is 1.0f or all ones (op.immediate).
/// Operands d, a, b, c.
template <class Fn, class T>
CTC_LANES bool setValue(Warp &warp, const Op &op, LaneMask mask) {
  LaneMask result =
      compareLanes<Fn, T>(rowOf<T>(warp, op.r[1]), rowOf<T>(warp, op.r[2]));
  result =
      combine(static_cast<Combine>(op.mode), result, warp.predicates[op.r[3]]);
  uint32_t *d = rowOf<uint32_t>(warp, op.r[0]);
  const auto yes = static_cast<uint32_t>(op.immediate);
  CTC_EACH_LANE(i) {
    uint32_t value = isActive(result, i) ? yes : 0;
    d[i] = isActive(mask, i) ? value : d[i];
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

/// What a comparison's name means for a type; false if it has none.
struct Comparison {
  Relation relation = Relation::Eq;
  bool unordered = false;
};

bool takeComparison(OpBuilder &b, Comparison &out) {
  struct Named {
    const char *name;
    Comparison comparison;
  };
  using R = Relation;
  static constexpr Named kNames[] = {
      {"eq", {R::Eq, false}},   {"ne", {R::Ne, false}},
      {"lt", {R::Lt, false}},   {"le", {R::Le, false}},
      {"gt", {R::Gt, false}},   {"ge", {R::Ge, false}},
      {"lo", {R::Lt, false}},   {"ls", {R::Le, false}},
      {"hi", {R::Gt, false}},   {"hs", {R::Ge, false}},
      {"equ", {R::Eq, true}},   {"neu", {R::Ne, true}},
      {"ltu", {R::Lt, true}},   {"leu", {R::Le, true}},
      {"gtu", {R::Gt, true}},   {"geu", {R::Ge, true}},
      {"num", {R::Num, false}}, {"nan", {R::Nan, false}},
  };
  for (const Named &named : kNames)
    if (b.take(named.name)) {
      out = named.comparison;
      return true;
    }
  return false;
}

template <class T, Relation R, bool Unordered, bool Ftz>
Handler pickForm(bool value) {
  using Fn = Compare<R, Unordered, Ftz>;
  return value ? setValue<Fn, T> : setPredicate<Fn, T>;
}

template <class T, Relation R>
Handler pickOrder(bool value, bool unordered, bool ftz) {
  if constexpr (std::is_integral_v<T>)
    return pickForm<T, R, false, false>(value);
  else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, Half>) {
    if (ftz)
      return unordered ? pickForm<T, R, true, true>(value)
                       : pickForm<T, R, false, true>(value);
  }
  return unordered ? pickForm<T, R, true, false>(value)
                   : pickForm<T, R, false, false>(value);
}

template <class T> Handler pickRelation(Comparison c, bool value, bool ftz) {
  switch (c.relation) {
  case Relation::Eq:
    return pickOrder<T, Relation::Eq>(value, c.unordered, ftz);
  case Relation::Ne:
    return pickOrder<T, Relation::Ne>(value, c.unordered, ftz);
  case Relation::Lt:
    return pickOrder<T, Relation::Lt>(value, c.unordered, ftz);
  case Relation::Le:
    return pickOrder<T, Relation::Le>(value, c.unordered, ftz);
  case Relation::Gt:
    return pickOrder<T, Relation::Gt>(value, c.unordered, ftz);
  case Relation::Ge:
    return pickOrder<T, Relation::Ge>(value, c.unordered, ftz);
  case Relation::Num:
  case Relation::Nan:
    break;
  }
  if constexpr (std::is_integral_v<T>)
    return nullptr;
  else
    return c.relation == Relation::Num
               ? pickOrder<T, Relation::Num>(value, false, ftz)
               : pickOrder<T, Relation::Nan>(value, false, ftz);
}

Handler pickType(Type type, Comparison c, bool value, bool ftz) {
  if (type.packed || type.bits < 16 || type.bits > 64)
    return nullptr;
  if (type.isInteger()) {
    if (c.unordered || ftz)
      return nullptr;
    switch (type.bits) {
    case 16:
      return type.isSigned() ? pickRelation<int16_t>(c, value, false)
                             : pickRelation<uint16_t>(c, value, false);
    case 32:
      return type.isSigned() ? pickRelation<int32_t>(c, value, false)
                             : pickRelation<uint32_t>(c, value, false);
    default:
      return type.isSigned() ? pickRelation<int64_t>(c, value, false)
                             : pickRelation<uint64_t>(c, value, false);
    }
  }
  if (type.kind == TypeKind::BFloat)
    return pickRelation<BHalf>(c, value, false);
  switch (type.bits) {
  case 16:
    return pickRelation<Half>(c, value, ftz);
  case 32:
    return pickRelation<float>(c, value, ftz);
  default:
    return pickRelation<double>(c, value, ftz);
  }
}

Combine takeCombine(OpBuilder &b) {
  return static_cast<Combine>(b.takeOneOf({"and", "or", "xor"}) + 1);
}

template <unsigned Shift> struct CutHalf {
  static CTC_SCALAR uint32_t apply(uint32_t a) { return a >> Shift & 0xffff; }
};

/// setp.cmp{.bool}.f16x2 p|q, a, b, c: p compares the low halves, q the high
/// ones. Two comparisons of halves that are cut out of their operands.
Decode decodePacked(OpBuilder &b, Type type, Comparison comparison, Combine how,
                    bool ftz) {
  const Operand &target = b.operand(0);
  if (target.kind != Operand::Kind::Pair)
    return Decode::NotMine;
  Handler run = pickType({type.kind, 16}, comparison, false, ftz);
  Slot third = how == Combine::None ? Slot{kTruePredicate, false, false}
                                    : b.usePredicate(b.operand(3));
  for (unsigned half = 0; half < 2; ++half) {
    Handlers cut = half ? Map<CutHalf<16>, uint32_t, uint32_t>::handlers
                        : Map<CutHalf<0>, uint32_t, uint32_t>::handlers;
    Slot sources[2];
    for (unsigned k = 0; k < 2; ++k) {
      Slot source = b.use(1 + k, type);
      sources[k] = b.temporary(32);
      b.emit(cut, {sources[k], source});
      sources[k].isDef = false;
    }
    Op &op = b.emit({run, run}, {b.defPredicate(target.elements[half]),
                                 Slot{kSinkPredicate, false, true}, sources[0],
                                 sources[1], third});
    op.mode = static_cast<uint16_t>(how);
  }
  return Decode::Done;
}

Decode decodeSetPredicate(OpBuilder &b) {
  Comparison comparison;
  if (!takeComparison(b, comparison))
    return Decode::NotMine;
  Combine how = takeCombine(b);
  bool ftz = b.take("ftz");
  auto type = b.takeType();
  size_t wanted = how == Combine::None ? 3 : 4;
  if (!type || !b.allTaken() || b.operandCount() != wanted)
    return Decode::NotMine;
  if (type->isHalf() && type->packed)
    return decodePacked(b, *type, comparison, how, ftz);
  Handler run = pickType(*type, comparison, /*value=*/false, ftz);
  if (!run)
    return Decode::NotMine;
  const Operand &target = b.operand(0);
  bool isPair = target.kind == Operand::Kind::Pair;
  Slot p = b.defPredicate(isPair ? target.elements[0] : target);
  Slot q = isPair ? b.defPredicate(target.elements[1])
                  : Slot{kSinkPredicate, false, true};
  Slot third = wanted == 4 ? b.usePredicate(b.operand(3))
                           : Slot{kTruePredicate, false, false};
  Op &op = b.emit({run, run}, {p, q, b.use(1, *type), b.use(2, *type), third});
  op.mode = static_cast<uint16_t>(how);
  return Decode::Done;
}

Decode decodeSetValue(OpBuilder &b) {
  Comparison comparison;
  if (!takeComparison(b, comparison))
    return Decode::NotMine;
  Combine how = takeCombine(b);
  bool ftz = b.take("ftz");
  auto result = b.takeType(), type = b.takeType();
  size_t wanted = how == Combine::None ? 3 : 4;
  if (!result || !type || !b.allTaken() || b.operandCount() != wanted ||
      result->bits != 32 || result->packed)
    return Decode::NotMine;
  Handler run = pickType(*type, comparison, /*value=*/true, ftz);
  if (!run)
    return Decode::NotMine;
  Slot third = wanted == 4 ? b.usePredicate(b.operand(3))
                           : Slot{kTruePredicate, false, false};
  Op &op = b.emit({run, run},
                  {b.def(0, *result), b.use(1, *type), b.use(2, *type), third});
  op.mode = static_cast<uint16_t>(how);
  op.immediate = result->isFloat(32) ? 0x3f800000 : 0xffffffff;
  return Decode::Done;
}

} // namespace

void addCompare(DecoderTable &table) {
  table.insert({"setp", decodeSetPredicate});
  table.insert({"set", decodeSetValue});
}

} // namespace ctc::ptx::CTC_PTX_LEVEL
