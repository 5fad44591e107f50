//===- FlatAccess.cpp - Element access to flat buffers --------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FlatAccess.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace ctc;

SmallVector<int64_t> ctc::rowMajorStrides(MemRefType type) {
  SmallVector<int64_t> strides(type.getRank(), 1);
  for (int64_t i = type.getRank() - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * type.getDimSize(i + 1);
  return strides;
}

Value ctc::flatten(ImplicitLocOpBuilder &b, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  SmallVector<int64_t> sizes(type.getShape());
  // The view's size is documentation for static buffers and, since accesses are
  // bounded by coordinates, only a lower bound for a dynamic batch.
  if (type.getRank() > 0 && type.isDynamicDim(0))
    sizes[0] = 1;
  int64_t elements = 1;
  for (int64_t size : sizes)
    elements *= size;
  auto flat =
      MemRefType::get({elements}, type.getElementType(),
                      StridedLayoutAttr::get(b.getContext(), /*offset=*/0, {1}),
                      type.getMemorySpace());
  return memref::ReinterpretCastOp::create(
      b, flat, buffer, /*offset=*/int64_t(0), ArrayRef<int64_t>{elements},
      ArrayRef<int64_t>{1});
}

/// The largest power of two of bytes, up to 16, that divides the vector's size.
static llvm::Align vectorAlignment(VectorType type) {
  const int64_t bytes =
      type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return llvm::Align(std::min<int64_t>(16, bytes & -bytes));
}

Value ctc::loadVector(ImplicitLocOpBuilder &b, VectorType type, Value buffer,
                      Value element) {
  return vector::LoadOp::create(b, type, buffer, element,
                                /*nontemporal=*/false, vectorAlignment(type));
}

void ctc::storeVector(ImplicitLocOpBuilder &b, Value value, Value buffer,
                      Value element) {
  vector::StoreOp::create(b, value, buffer, element, /*nontemporal=*/false,
                          vectorAlignment(cast<VectorType>(value.getType())));
}

Value ctc::widen(ImplicitLocOpBuilder &b, Value value) {
  const Type type = value.getType();
  if (getElementTypeOrSelf(type).isF32())
    return value;
  Type wide = b.getF32Type();
  if (auto vector = dyn_cast<VectorType>(type))
    wide = VectorType::get(vector.getShape(), wide);
  return arith::ExtFOp::create(b, wide, value);
}

Value ctc::roundToTF32(ImplicitLocOpBuilder &b, Value value) {
  if (auto type = dyn_cast<VectorType>(value.getType())) {
    for (int64_t i = 0; i < type.getDimSize(0); ++i) {
      Value element = vector::ExtractOp::create(b, value, i);
      value = vector::InsertOp::create(b, roundToTF32(b, element), value, i);
    }
    return value;
  }
  Value bits = NVVM::ConvertFloatToTF32Op::create(b, b.getI32Type(), value,
                                                  NVVM::FPRoundingMode::RNA);
  return arith::BitcastOp::create(b, b.getF32Type(), bits);
}
