//===- PhaseTable.cpp - Phases as rows of a constant table ----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PhaseTable.h"
#include "IndexMath.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;
using namespace ctc;

static constexpr int64_t kColumns = 5;

MemRefType ctc::inGlobalMemory(MemRefType type) {
  return MemRefType::get(
      type.getShape(), type.getElementType(), type.getLayout(),
      gpu::AddressSpaceAttr::get(type.getContext(), gpu::AddressSpace::Global));
}

memref::GlobalOp ctc::makePhaseTable(ImplicitLocOpBuilder &b, StringRef name,
                                     const SpatialDim &dim,
                                     const DimPhasePlan &plan) {
  SmallVector<int64_t> cells;
  for (const Phase &phase : plan.phases)
    cells.append({phase.qCount, phase.tapCount, phase.firstSlot,
                  phase.qBegin - phase.inputOffset,
                  phase.qBegin * dim.stride + phase.residue - dim.padLow});
  if (cells.empty())
    cells.assign(kColumns, 0);
  const auto rows = int64_t(cells.size()) / kColumns;
  auto contents = DenseElementsAttr::get(
      RankedTensorType::get({rows, kColumns}, b.getI64Type()),
      ArrayRef<int64_t>(cells));
  auto type = inGlobalMemory(MemRefType::get({rows, kColumns}, b.getI64Type()));
  return memref::GlobalOp::create(b, name, b.getStringAttr("private"), type,
                                  contents, /*constant=*/true,
                                  /*alignment=*/nullptr);
}

PhaseRow ctc::loadPhaseRow(ImplicitLocOpBuilder &b, memref::GlobalOp table,
                           Value phase) {
  IndexMath math(b, b.getIndexType());
  Value source =
      memref::GetGlobalOp::create(b, table.getType(), table.getSymName());
  auto column = [&](int64_t number) {
    Value cell = memref::LoadOp::create(
        b, source, ValueRange{phase, math.constant(number)});
    return math.cast(cell);
  };
  return {column(0), column(1), column(2), column(3), column(4)};
}
