//===- TosaScalars.cpp - TOSA's elementwise operations on scalars ---------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TosaScalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace ctc;

namespace {
/// What an entry of the table builds with.
struct Scalar {
  OpBuilder &builder;
  Operation *op;
  ValueRange elements;
  ScalarWidth width;

  Location loc() const { return op->getLoc(); }
  /// The type the result is computed in.
  Type type() const {
    return width.compute(getElementTypeOrSelf(op->getResult(0).getType()));
  }
  Value constant(double value) const {
    return arith::ConstantOp::create(builder, loc(),
                                     FloatAttr::get(type(), value));
  }
};

using Build = Value (*)(const Scalar &);

struct Entry {
  StringRef name;
  unsigned operands; ///< How many leading operands are elements.
  Build build;
};
} // namespace

template <typename Op> static Value unary(const Scalar &s) {
  return Op::create(s.builder, s.loc(), s.elements[0]);
}

template <typename Op> static Value binary(const Scalar &s) {
  return Op::create(s.builder, s.loc(), s.elements[0], s.elements[1]);
}

template <arith::CmpFPredicate predicate>
static Value compare(const Scalar &s) {
  return arith::CmpFOp::create(s.builder, s.loc(), predicate, s.elements[0],
                               s.elements[1]);
}

/// Maximum or minimum; TOSA's IGNORE mode drops a NaN, PROPAGATE keeps it.
template <typename TosaOp, typename Propagate, typename Ignore>
static Value extremum(const Scalar &s) {
  return cast<TosaOp>(s.op).getNanMode() == tosa::NanPropagationMode::IGNORE
             ? binary<Ignore>(s)
             : binary<Propagate>(s);
}

static Value clamp(const Scalar &s) {
  auto op = cast<tosa::ClampOp>(s.op);
  Value low = s.constant(cast<FloatAttr>(op.getMinVal()).getValueAsDouble());
  Value high = s.constant(cast<FloatAttr>(op.getMaxVal()).getValueAsDouble());
  Value x = s.elements[0];
  if (op.getNanMode() == tosa::NanPropagationMode::IGNORE) {
    x = arith::MaxNumFOp::create(s.builder, s.loc(), x, low);
    return arith::MinNumFOp::create(s.builder, s.loc(), x, high);
  }
  x = arith::MaximumFOp::create(s.builder, s.loc(), x, low);
  return arith::MinimumFOp::create(s.builder, s.loc(), x, high);
}

static Value sigmoid(const Scalar &s) {
  Value one = s.constant(1);
  Value x = arith::NegFOp::create(s.builder, s.loc(), s.elements[0]);
  x = math::ExpOp::create(s.builder, s.loc(), x);
  x = arith::AddFOp::create(s.builder, s.loc(), x, one);
  return arith::DivFOp::create(s.builder, s.loc(), one, x);
}

static Value reciprocal(const Scalar &s) {
  return arith::DivFOp::create(s.builder, s.loc(), s.constant(1),
                               s.elements[0]);
}

/// Between floats; f16 and bf16 meet in f32, which holds both.
static Value convert(const Scalar &s) {
  Value x = s.elements[0];
  if (x.getType() == s.type())
    return x;
  const Type wide = s.builder.getF32Type();
  if (x.getType() != wide)
    x = arith::ExtFOp::create(s.builder, s.loc(), wide, x);
  if (s.type() != wide)
    x = arith::TruncFOp::create(s.builder, s.loc(), s.type(), x);
  return x;
}

static Value choose(const Scalar &s) {
  return arith::SelectOp::create(s.builder, s.loc(), s.elements[0],
                                 s.elements[1], s.elements[2]);
}

// The meanings are those of upstream's lowering of TOSA to linalg.
static const Entry kEntries[] = {
    {"tosa.abs", 1, unary<math::AbsFOp>},
    {"tosa.add", 2, binary<arith::AddFOp>},
    {"tosa.cast", 1, convert},
    {"tosa.ceil", 1, unary<math::CeilOp>},
    {"tosa.clamp", 1, clamp},
    {"tosa.cos", 1, unary<math::CosOp>},
    {"tosa.equal", 2, compare<arith::CmpFPredicate::OEQ>},
    {"tosa.erf", 1, unary<math::ErfOp>},
    {"tosa.exp", 1, unary<math::ExpOp>},
    {"tosa.floor", 1, unary<math::FloorOp>},
    {"tosa.greater", 2, compare<arith::CmpFPredicate::OGT>},
    {"tosa.greater_equal", 2, compare<arith::CmpFPredicate::OGE>},
    {"tosa.log", 1, unary<math::LogOp>},
    {"tosa.maximum", 2,
     extremum<tosa::MaximumOp, arith::MaximumFOp, arith::MaxNumFOp>},
    {"tosa.minimum", 2,
     extremum<tosa::MinimumOp, arith::MinimumFOp, arith::MinNumFOp>},
    {"tosa.mul", 2, binary<arith::MulFOp>},
    {"tosa.negate", 1, unary<arith::NegFOp>},
    {"tosa.pow", 2, binary<math::PowFOp>},
    {"tosa.reciprocal", 1, reciprocal},
    {"tosa.rsqrt", 1, unary<math::RsqrtOp>},
    {"tosa.select", 3, choose},
    {"tosa.sigmoid", 1, sigmoid},
    {"tosa.sin", 1, unary<math::SinOp>},
    {"tosa.sub", 2, binary<arith::SubFOp>},
    {"tosa.tanh", 1, unary<math::TanhOp>},
};

static const Entry *findEntry(Operation *op) {
  const auto *entry = llvm::find_if(kEntries, [&](const Entry &entry) {
    return entry.name == op->getName().getStringRef();
  });
  return entry == std::end(kEntries) ? nullptr : entry;
}

bool ctc::isTosaElementwise(Operation *op) { return findEntry(op) != nullptr; }

FailureOr<SmallVector<ElementwiseOperand>>
ctc::tosaOperands(Operation *op, RankedTensorType type, std::string &reason) {
  const unsigned count = findEntry(op)->operands;
  auto fail = [&](const Twine &what) {
    reason = ("'" + op->getName().getStringRef() + "' " + what).str();
    return failure();
  };
  MLIRContext *context = op->getContext();
  SmallVector<ElementwiseOperand> operands;
  for (Value value : op->getOperands().take_front(count)) {
    auto source = dyn_cast<RankedTensorType>(value.getType());
    if (!source || source.getRank() != type.getRank())
      return fail("has an operand of another rank than its result");
    SmallVector<AffineExpr> exprs;
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      exprs.push_back(source.getDimSize(dim) == type.getDimSize(dim)
                          ? getAffineDimExpr(dim, context)
                          : getAffineConstantExpr(0, context));
    for (auto [dim, expr] : llvm::enumerate(exprs))
      if (isa<AffineConstantExpr>(expr) && source.getDimSize(dim) != 1)
        return fail(
            "has an operand whose sizes are neither its result's nor 1");
    operands.push_back(
        {value, AffineMap::get(type.getRank(), 0, exprs, context)});
  }
  for (Value value : op->getOperands().drop_front(count))
    if (!matchPattern(value, m_Zero()) &&
        !matchPattern(value, m_AnyZeroFloat()))
      return fail("has a zero point or shift that is not constant zero");
  return operands;
}

FailureOr<Value> ctc::buildTosaScalar(OpBuilder &builder, Operation *op,
                                      ValueRange elements, ScalarWidth width,
                                      std::string &reason) {
  const Entry *entry = findEntry(op);
  const bool selects = entry->build == choose;
  for (Value element : selects ? elements.drop_front() : elements)
    if (!isa<Float16Type, BFloat16Type, Float32Type>(element.getType())) {
      llvm::raw_string_ostream(reason)
          << "'" << op->getName() << "' on type " << element.getType()
          << ", must be f32, f16 or bf16";
      return failure();
    }
  const Scalar scalar{builder, op, elements, width};
  if (!isa<Float16Type, BFloat16Type, Float32Type>(scalar.type()) &&
      !scalar.type().isInteger(1)) {
    llvm::raw_string_ostream(reason)
        << "'" << op->getName() << "' yields type " << scalar.type()
        << ", must be f32, f16, bf16 or i1";
    return failure();
  }
  return entry->build(scalar);
}
