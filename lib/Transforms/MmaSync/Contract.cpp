//===- Contract.cpp - Contractions as matrix instructions -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops over the taps of a chunk around an unrolled sequence over its planes. A
// tap is a shift of the patch's address. Where phases are grouped, the taps of
// all of them are unrolled by the shift they read at, so that fragments of
// positions are loaded once for all phases.
//
//===----------------------------------------------------------------------===//

#include "../FlatAccess.h"
#include "WarpTile.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <map>

using namespace mlir;
using namespace ctc;

namespace {

/// Steps of the reduction up to which taps are unrolled: the code of a step is
/// at most 64 instructions of 16 bytes, and a multiprocessor caches 128 KiB.
constexpr int64_t kMaxUnrolledSteps = 32;

/// A register of an operand; for split_tf32 its two parts.
struct Register {
  Value value, low;
};
/// Registers h = 0, 1 of eight rows or columns.
using Octet = std::array<Register, 2>;

class ContractBuilder {
public:
  ContractBuilder(ImplicitLocOpBuilder &builder, ir::ContractOp op,
                  const WarpTile &tile, Value patch, Value weights)
      : b(builder), op(op), tile(tile), index(builder, builder.getIndexType()),
        local(builder, builder.getI32Type()) {
    const auto type = cast<MemRefType>(patch.getType());
    element = type.getElementType();
    readLayout(type);
    order.wordElements = layout.wordElements;
    order.planes = layout.planes;
    order.planesContiguous = layout.planesContiguous;
    order.columns = tile.positionsAreRows();
    order.channels = tile.kernel.getChannels();
    order.unit = fragmentUnit(tile.kernel);
    this->patch = flattenBuffer(b, patch);
    this->weights = flattenBuffer(b, weights);
    locateLane();
  }

  SmallVector<Value> build(ValueRange initial) {
    acc.assign(initial.begin(), initial.end());
    visit(rank() - 1, index.constant(0), {{0, index.constant(0)}});
    return acc;
  }

private:
  using Taps = SmallVector<std::pair<int64_t, Value>>;

  /// The layout that the buffer's type states.
  void readLayout(MemRefType type) {
    auto [strides, offset] = type.getStridesAndOffset();
    layout.planes = type.getDimSize(0);
    layout.wordElements = type.getDimSize(1);
    layout.planeStride = strides[0] / layout.wordElements;
    for (int64_t i = 2; i < type.getRank(); ++i) {
      layout.window.push_back(type.getDimSize(i));
      layout.strides.push_back(strides[i] / layout.wordElements);
    }
    // A position holds all planes, at least eight, or lies next to others.
    layout.planesContiguous = layout.strides.back() != 1;
  }

  /// Words of the lane's first plane at each of its positions, and of its first
  /// register of weights.
  void locateLane() {
    IndexMath &m = local;
    Value plane = m.mul(tile.t, layout.planesContiguous ? layout.planes / 4
                                                        : layout.planeStride);
    if (op.getSkew())
      plane = m.add(plane, m.mul(m.cast(op.getSkew()), layout.strides.back()));
    const std::vector<int64_t> words = positionWords(layout, tile.kernel);
    const int64_t octets = tile.positions() / kOctet;
    Value first = m.add(tile.position, tile.g);
    Value base = m.add(plane, positionWord(first));
    for (int64_t o = 0; o < octets; ++o) {
      const std::optional<int64_t> fixed = fixedDistance(words, o);
      positions.push_back(
          fixed ? index.add(index.cast(base), *fixed)
                : index.cast(
                      m.add(plane, positionWord(m.add(first, o * kOctet)))));
    }
    Value units = m.div(tile.channel, order.unit);
    weightBase = index.cast(
        m.mul(m.add(m.mul(units, 32), tile.lane), order.registers()));
  }

  /// Words from octet 0 to octet `o` of a warp, if that is the same for every
  /// warp and lane.
  std::optional<int64_t> fixedDistance(ArrayRef<int64_t> words, int64_t o) {
    std::optional<int64_t> distance;
    for (int64_t warp = 0; warp < int64_t(words.size());
         warp += tile.positions())
      for (int64_t g = 0; g < kOctet; ++g) {
        const int64_t here = words[warp + o * kOctet + g] - words[warp + g];
        if (distance.value_or(here) != here)
          return std::nullopt;
        distance = here;
      }
    return distance;
  }

  /// Words from the window's start to a position of the box.
  Value positionWord(Value number) {
    SmallVector<int64_t> box{tile.kernel.getBatch()};
    llvm::append_range(box, tile.kernel.getBox().asArrayRef());
    const int64_t volume = tile.kernel.getBoxVolume();
    // Idle positions compute position 0 once more and are not stored.
    if (volume < tile.kernel.getPositions())
      number =
          arith::SelectOp::create(b, local.less(number, local.constant(volume)),
                                  number, local.constant(0));
    Value word = local.constant(0);
    for (auto [coordinate, stride] :
         llvm::zip_equal(local.delinearize(number, box), layout.strides))
      word = local.add(word, local.mul(coordinate, stride));
    return word;
  }

  int64_t tapCount(int64_t dim) { return tile.kernel.getTaps()[dim]; }
  bool isGrouped(int64_t dim) { return tile.kernel.getPhases()[dim] > 1; }

  int64_t rank() const { return tile.kernel.getBox().size(); }

  /// Taps of the chunk between neighbours along a dimension.
  int64_t rowStride(int64_t dim) {
    int64_t stride = 1;
    for (int64_t i = dim + 1; i < rank(); ++i)
      stride *= tapCount(i);
    return stride;
  }
  int64_t phaseStride(int64_t dim) {
    int64_t stride = 1;
    for (int64_t i = dim + 1; i < rank(); ++i)
      stride *= tile.kernel.getPhases()[i];
    return stride;
  }

  /// The dimensions of the taps from the innermost outwards: taps of an outer
  /// dimension that follow each other read rows of positions that the last one
  /// has read, too, so fragments are loaded once where taps are unrolled. `dim`
  /// is what is left under `shift` words; `rows` are the taps chosen, by phase.
  void visit(int64_t dim, Value shift, const Taps &rows) {
    if (dim < 0)
      return multiply(shift, rows);
    if (isGrouped(dim)) {
      for (auto &[at, taps] : tapsByShift(dim))
        visit(dim - 1, index.add(shift, at * layout.strides[dim + 1]),
              combine(dim, rows, taps));
      return;
    }
    const std::optional<int64_t> count =
        getConstantIntValue(op.getCount()[dim]);
    if (count && isUnrolled(dim, *count)) {
      for (int64_t tap = 0; tap < *count; ++tap)
        visitTap(dim, shift, rows, index.constant(tap));
      return;
    }
    auto loop = scf::ForOp::create(b, index.constant(0), op.getCount()[dim],
                                   index.constant(1), acc);
    b.setInsertionPointToStart(loop.getBody());
    acc.assign(loop.getRegionIterArgs().begin(),
               loop.getRegionIterArgs().end());
    visitTap(dim, shift, rows, loop.getInductionVar());
    scf::YieldOp::create(b, acc);
    b.setInsertionPointAfter(loop);
    acc.assign(loop.getResults().begin(), loop.getResults().end());
  }

  /// Whether the taps of a dimension stand in the code one by one, so that
  /// fragments of the next can be loaded while the last are multiplied.
  bool isUnrolled(int64_t dim, int64_t count) {
    int64_t steps = count * layout.planes / kMmaPlanes;
    for (int64_t i = 0; i < dim; ++i)
      steps *= tapCount(i);
    return steps <= kMaxUnrolledSteps;
  }

  /// One tap of a dimension without grouped phases.
  void visitTap(int64_t dim, Value shift, Taps rows, Value tap) {
    Value age = index.sub(index.constant(tapCount(dim) - 1), tap);
    for (auto &[phase, row] : rows)
      row = index.add(row, index.mul(tap, rowStride(dim)));
    const int64_t stride = op.getInputStep()[dim] * layout.strides[dim + 1];
    visit(dim - 1, index.add(shift, index.mul(age, stride)), rows);
  }

  /// The (phase, tap) pairs of a grouped dimension by their shift.
  std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>>
  tapsByShift(int64_t dim) {
    std::map<int64_t, SmallVector<std::pair<int64_t, int64_t>>> result;
    auto pairs = cast<DenseI64ArrayAttr>((*op.getPhaseTaps())[dim]);
    for (int64_t tap = 0; 2 * tap < pairs.size(); ++tap)
      if (pairs[2 * tap] >= 0)
        result[pairs[2 * tap + 1]].push_back({pairs[2 * tap], tap});
    return result;
  }

  Taps combine(int64_t dim, const Taps &rows,
               ArrayRef<std::pair<int64_t, int64_t>> taps) {
    Taps next;
    for (const auto &[others, row] : rows)
      for (auto [phase, tap] : taps)
        next.push_back({others + phase * phaseStride(dim),
                        index.add(row, tap * rowStride(dim))});
    return next;
  }

  /// All planes of the chunk at one shift, for each of the phases' taps.
  void multiply(Value shift, const Taps &taps) {
    const int64_t width = layout.loadWords();
    const int64_t stepsPerLoad = std::max<int64_t>(1, width / 2);
    SmallVector<Value> rows;
    for (const auto &[phase, row] : taps)
      rows.push_back(index.add(weightBase,
                               index.mul(row, layout.planes * order.channels)));
    for (int64_t step = 0; step < layout.planes / kMmaPlanes;
         step += stepsPerLoad) {
      SmallVector<SmallVector<Octet>> pixels = loadPositions(shift, step);
      for (int64_t i = 0; i < stepsPerLoad; ++i)
        for (auto [row, tap] : llvm::zip_equal(rows, taps))
          multiplyStep(tap.first, pixels[i], loadWeights(row, step + i));
    }
  }

  /// Fragments of all octets of positions for the steps of one load.
  SmallVector<SmallVector<Octet>> loadPositions(Value shift, int64_t step) {
    const int64_t width = layout.loadWords();
    SmallVector<SmallVector<Octet>> steps(std::max<int64_t>(1, width / 2));
    for (Value base : positions) {
      Value at = index.add(base, shift);
      if (!layout.planesContiguous) {
        Octet octet;
        for (int64_t h = 0; h < 2; ++h)
          octet[h] = loadWords(
              patch,
              index.add(at, (kMmaPlanes * step + 4 * h) * layout.planeStride),
              1)[0];
        steps[0].push_back(octet);
        continue;
      }
      auto words = loadWords(patch, index.add(at, 2 * step), width);
      for (size_t i = 0; i < steps.size(); ++i)
        steps[i].push_back({words[2 * i], words[2 * i + 1]});
    }
    return steps;
  }

  /// Fragments of all octets of the warp's channels.
  SmallVector<Octet> loadWeights(Value row, int64_t step) {
    const int64_t octets = order.octets(), registers = order.registers();
    const int64_t units = tile.channels() / order.unit;
    SmallVector<Octet> result;
    for (int64_t unit = 0; unit < units; ++unit) {
      const int64_t word =
          step * kMmaPlanes * order.channels + unit * 32 * registers;
      auto words = loadWords(weights, index.add(row, word), registers);
      for (int64_t i = 0; i < octets; ++i)
        result.push_back({words[i], words[octets + i]});
    }
    return result;
  }

  /// Words at a word's number, as the registers that mma takes.
  SmallVector<Register> loadWords(Value buffer, Value word, int64_t count) {
    auto type = VectorType::get({count * layout.wordElements}, element);
    Value value =
        loadVector(b, type, buffer, index.mul(word, layout.wordElements));
    SmallVector<Register> words;
    for (int64_t i = 0; i < count; ++i) {
      Value part = vector::ExtractStridedSliceOp::create(
          b, value, ArrayRef<int64_t>{i * layout.wordElements},
          ArrayRef<int64_t>{layout.wordElements}, ArrayRef<int64_t>{1});
      words.push_back(toRegister(part));
    }
    return words;
  }

  Register toRegister(Value word) {
    if (element.isF16())
      return {word, Value()};
    if (op.getSplitTf32()) {
      Value whole = vector::ExtractOp::create(b, word, 0);
      Value high = roundToTF32(b, whole);
      Value low = roundToTF32(b, arith::SubFOp::create(b, whole, high));
      return {arith::BitcastOp::create(b, b.getI32Type(), high),
              arith::BitcastOp::create(b, b.getI32Type(), low)};
    }
    Value bits = vector::BitCastOp::create(
        b, VectorType::get({1}, b.getI32Type()), word);
    return {vector::ExtractOp::create(b, bits, 0), Value()};
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
        ArrayRef<int64_t>{16, 8, kMmaPlanes * layout.wordElements},
        /*b1Op=*/std::nullopt, /*intOverflow=*/std::nullopt,
        std::array<NVVM::MMATypes, 2>{type, type},
        std::array<NVVM::MMALayout, 2>{NVVM::MMALayout::row,
                                       NVVM::MMALayout::col});
    SmallVector<Value> parts;
    for (int64_t i = 0; i < 4; ++i)
      parts.push_back(LLVM::ExtractValueOp::create(b, result, i));
    return vector::FromElementsOp::create(b, sum.getType(), parts);
  }

  ImplicitLocOpBuilder &b;
  ir::ContractOp op;
  const WarpTile &tile;
  IndexMath index, local;
  Type element;
  PatchLayout layout;
  FragmentOrder order;
  Value patch, weights, weightBase;
  SmallVector<Value> positions; ///< Words of each octet, index.
  SmallVector<Value> acc;
};

} // namespace

SmallVector<Value> ctc::buildContract(ImplicitLocOpBuilder &b,
                                      ir::ContractOp op, const WarpTile &tile,
                                      Value patch, Value weights,
                                      ValueRange acc) {
  return ContractBuilder(b, op, tile, patch, weights).build(acc);
}
