//===- Contract.cpp - Contractions as mma.sync ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatchFragments.h"
#include "TapWalk.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace ctc;

namespace {

class MmaContract : public TapWalk {
public:
  MmaContract(ImplicitLocOpBuilder &builder, ir::ContractOp op,
              const WarpTile &tile, Value patch, Value weights)
      : TapWalk(builder, op, tile), pixels(builder, op, tile, patch),
        element(cast<MemRefType>(patch.getType()).getElementType()),
        words(builder, element, op.getSplitTf32()) {
    order = fragmentOrder(tile.kernel, pixels.layout());
    this->weights = flattenBuffer(b, weights);
    IndexMath m(b, b.getI32Type());
    Value units = m.div(tile.channel, order.unit);
    Value weight = m.mul(m.add(m.mul(units, 32), tile.lane), order.registers());
    if (tile.share)
      weight = m.add(
          weight, m.mul(tile.share, layout().sharePlanes() * order.channels));
    weightBase = index.cast(weight);
  }

private:
  const PatchLayout &layout() const override { return pixels.layout(); }

  /// A warp's positions are rows of the box.
  SmallVector<int64_t> loopOrder() const override {
    auto dims =
        llvm::to_vector(llvm::seq<int64_t>(tile.kernel.getBox().size()));
    std::reverse(dims.begin(), dims.end());
    return dims;
  }

  void multiply(const Shift &shift, const Taps &taps) override {
    SmallVector<Value> rows;
    for (const auto &[phase, row] : taps)
      rows.push_back(index.add(
          weightBase, index.mul(row, layout().planes * order.channels)));
    const int64_t stepsPerLoad = pixels.stepsPerLoad();
    for (int64_t step = 0; step < layout().shareSteps(); step += stepsPerLoad) {
      SmallVector<SmallVector<Octet>> loaded = pixels.load(shift, step);
      for (int64_t i = 0; i < stepsPerLoad; ++i)
        for (auto [row, tap] : llvm::zip_equal(rows, taps))
          multiplyStep(tap.first, loaded[i], loadWeights(row, step + i));
    }
  }

  /// Fragments of all octets of the warp's channels.
  SmallVector<Octet> loadWeights(Value row, int64_t step) {
    const int64_t octets = order.octets(), registers = order.registers();
    const int64_t units = tile.channels() / order.unit;
    SmallVector<Octet> result;
    for (int64_t unit = 0; unit < units; ++unit) {
      const int64_t word =
          step * kMmaPlanes * order.channels + unit * 32 * registers;
      auto loaded = words.load(weights, index.add(row, word), registers);
      for (int64_t i = 0; i < octets; ++i)
        result.push_back({loaded[i], loaded[octets + i]});
    }
    return result;
  }

  void multiplyStep(int64_t phase, ArrayRef<Octet> pixels,
                    ArrayRef<Octet> channels) {
    ArrayRef<Octet> rows = tile.positionsAreRows() ? pixels : channels;
    ArrayRef<Octet> columns = tile.positionsAreRows() ? channels : pixels;
    for (int64_t r = 0; r < tile.rowTiles(); ++r)
      for (int64_t c = 0; c < tile.columnTiles(); ++c) {
        Value &sum = acc[tile.fragment(phase, r, c)];
        if (op.getSplitTf32()) {
          sum = mma(rows[2 * r], rows[2 * r + 1], columns[c], sum, false, true);
          sum = mma(rows[2 * r], rows[2 * r + 1], columns[c], sum, true, false);
        }
        sum = mma(rows[2 * r], rows[2 * r + 1], columns[c], sum, false, false);
      }
  }

  /// One matrix instruction; `lowRows` and `lowColumns` take the lower parts.
  Value mma(const Octet &first, const Octet &second, const Octet &column,
            Value sum, bool lowRows, bool lowColumns) {
    auto part = [](const Register &reg, bool low) {
      return low ? reg.low : reg.value;
    };
    SmallVector<Value> rows, columns, sums;
    for (int64_t h = 0; h < 2; ++h) {
      rows.push_back(part(first[h], lowRows));
      rows.push_back(part(second[h], lowRows));
      columns.push_back(part(column[h], lowColumns));
    }
    for (int64_t i = 0; i < 4; ++i)
      sums.push_back(vector::ExtractOp::create(b, sum, i));
    const NVVM::MMATypes type = element.isF32()   ? NVVM::MMATypes::tf32
                                : element.isF16() ? NVVM::MMATypes::f16
                                                  : NVVM::MMATypes::bf16;
    const Type f32 = b.getF32Type();
    auto structType =
        LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
    Value result = NVVM::MmaOp::create(
        b, structType, rows, columns, sums,
        ArrayRef<int64_t>{16, 8, kMmaPlanes * layout().wordElements},
        /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
        std::array<NVVM::MMATypes, 2>{type, type},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    SmallVector<Value> parts;
    for (int64_t i = 0; i < 4; ++i)
      parts.push_back(LLVM::ExtractValueOp::create(b, result, i));
    return vector::FromElementsOp::create(b, sum.getType(), parts);
  }

  PatchFragments pixels;
  Type element;
  WordLoads words;
  FragmentOrder order;
  Value weights, weightBase;
};

} // namespace

SmallVector<Value> ctc::buildContract(ImplicitLocOpBuilder &b,
                                      ir::ContractOp op, const WarpTile &tile,
                                      Value patch, Value weights,
                                      ValueRange acc) {
  return MmaContract(b, op, tile, patch, weights).walk(acc);
}
