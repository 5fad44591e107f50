//===- IndexMath.h - Integer arithmetic in the IR -------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_TRANSFORMS_INDEXMATH_H
#define CTC_LIB_TRANSFORMS_INDEXMATH_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace ctc {

/// Builds arithmetic on values of one integer type, index or i32: block-uniform
/// bases are 64-bit, offsets inside a tile 32-bit.
class IndexMath {
public:
  IndexMath(mlir::ImplicitLocOpBuilder &builder, mlir::Type type)
      : b(builder), type(type) {}

  mlir::Value constant(int64_t value) {
    return mlir::arith::ConstantOp::create(b, b.getIntegerAttr(type, value));
  }
  mlir::Value add(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::AddIOp>(lhs, rhs);
  }
  mlir::Value add(mlir::Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : add(lhs, constant(rhs));
  }
  mlir::Value sub(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::SubIOp>(lhs, rhs);
  }
  mlir::Value mul(mlir::Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs
                    : b.createOrFold<mlir::arith::MulIOp>(lhs, constant(rhs));
  }
  /// Quotient and remainder of a non-negative value by a positive one.
  mlir::Value div(mlir::Value lhs, int64_t rhs) {
    return rhs == 1 ? lhs
                    : b.createOrFold<mlir::arith::DivUIOp>(lhs, constant(rhs));
  }
  mlir::Value rem(mlir::Value lhs, int64_t rhs) {
    return rhs == 1 ? constant(0)
                    : b.createOrFold<mlir::arith::RemUIOp>(lhs, constant(rhs));
  }
  mlir::Value mul(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::MulIOp>(lhs, rhs);
  }
  mlir::Value div(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::DivUIOp>(lhs, rhs);
  }
  mlir::Value rem(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::RemUIOp>(lhs, rhs);
  }
  mlir::Value min(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::MinSIOp>(lhs, rhs);
  }
  mlir::Value max(mlir::Value lhs, mlir::Value rhs) {
    return b.createOrFold<mlir::arith::MaxSIOp>(lhs, rhs);
  }
  mlir::Value less(mlir::Value lhs, mlir::Value rhs) {
    return compare(mlir::arith::CmpIPredicate::slt, lhs, rhs);
  }
  /// Whether 0 <= lhs < rhs for a non-negative rhs, in one comparison.
  mlir::Value inRange(mlir::Value lhs, mlir::Value rhs) {
    return compare(mlir::arith::CmpIPredicate::ult, lhs, rhs);
  }
  /// Converts from any integer type to this one, sign-extending.
  mlir::Value cast(mlir::Value value) {
    if (value.getType() == type)
      return value;
    if (value.getType().isIndex() || type.isIndex())
      return b.createOrFold<mlir::arith::IndexCastOp>(type, value);
    return b.createOrFold<mlir::arith::ExtSIOp>(type, value);
  }
  /// Row-major coordinates of a non-negative number in a box of these sizes;
  /// the outermost is not reduced.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value value,
                                             llvm::ArrayRef<int64_t> sizes) {
    llvm::SmallVector<mlir::Value> coordinates(sizes.size());
    for (size_t i = sizes.size(); i-- > 1;) {
      coordinates[i] = rem(value, sizes[i]);
      value = div(value, sizes[i]);
    }
    coordinates[0] = value;
    return coordinates;
  }

private:
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value lhs,
                      mlir::Value rhs) {
    return b.createOrFold<mlir::arith::CmpIOp>(predicate, lhs, rhs);
  }

  mlir::ImplicitLocOpBuilder &b;
  mlir::Type type;
};

} // namespace ctc

#endif // CTC_LIB_TRANSFORMS_INDEXMATH_H
