//===- StoreEpilogue.cpp - The epilogue of one stored element -------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StoreEpilogue.h"
#include "FlatAccess.h"
#include "IndexMath.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace ctc;

static Value loadExtra(ImplicitLocOpBuilder &b, AffineMap map, Value extra,
                       ArrayRef<Value> coordinates) {
  IndexMath index(b, b.getIndexType());
  Value element = index.constant(0);
  for (auto [expr, stride] :
       llvm::zip_equal(map.getResults(),
                       rowMajorStrides(cast<MemRefType>(extra.getType()))))
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      element =
          index.add(element, index.mul(coordinates[dim.getPosition()], stride));
  return memref::LoadOp::create(b, flatten(b, extra), element);
}

Value ctc::applyEpilogue(ImplicitLocOpBuilder &b, ir::StoreTileOp op,
                         Value value, ArrayRef<Value> coordinates) {
  if (op.getEpilogue().empty())
    return value;
  Block &block = op.getEpilogue().front();
  IRMapping mapping;
  mapping.map(block.getArgument(0), value);
  for (auto [i, extra] : llvm::enumerate(op.getExtras())) {
    const AffineMap map =
        cast<AffineMapAttr>((*op.getExtraMaps())[i]).getValue();
    mapping.map(block.getArgument(i + 1),
                loadExtra(b, map, extra, coordinates));
  }
  for (Operation &inner : block.without_terminator())
    b.clone(inner, mapping);
  return mapping.lookup(cast<ir::YieldOp>(block.getTerminator()).getValue());
}
