//===- WarpgroupContract.cpp - Contractions as wgmma ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Four warps multiply 64 rows of positions, held in registers, with all of a
// warp's channels, which lie in workgroup memory (PTX ISA 9.7.16, wgmma with A
// in registers). Each warp holds 16 of the rows, and fragments are those of
// mma.m16n8k8 and m16n8k16, so that all else is as in mma_sync: since rows come
// from registers, they may be any positions.
//
// A group of instructions runs while the next one's rows are loaded:
//
//   load 0; for each group i: fence, multiply i, commit; wait for i - 1;
//                             load i + 1
//
// so that registers are not overwritten while an instruction reads them. Where
// rows are loaded ahead, load i + 2 stands there, and only group 0 is as above:
// what it waits for are the multiplications before this code. The
// last group of straight code may run on into a loop's next turn, unless that
// begins by overwriting what it reads; then it is waited for first.
//
//===----------------------------------------------------------------------===//

#include "PatchFragments.h"
#include "TapWalk.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace ctc;

namespace {

/// Words of a core matrix, 8 rows of 16 bytes.
constexpr int64_t kCoreWords = 32;
/// Bytes that one of a descriptor's numbers counts.
constexpr int64_t kDescriptorBytes = 16;

SmallVector<Value> scalarsOf(ImplicitLocOpBuilder &b, ValueRange sums) {
  SmallVector<Value> scalars;
  for (Value sum : sums)
    for (int64_t i = 0; i < 4; ++i)
      scalars.push_back(vector::ExtractOp::create(b, sum, i));
  return scalars;
}

SmallVector<Value> fragmentsFrom(ImplicitLocOpBuilder &b, Value result,
                                 size_t count) {
  const auto type = VectorType::get(4, b.getF32Type());
  SmallVector<Value> fragments;
  for (size_t number = 0; number < count; ++number) {
    SmallVector<Value> parts;
    for (int64_t i = 0; i < 4; ++i)
      parts.push_back(
          LLVM::ExtractValueOp::create(b, result, int64_t(4 * number) + i));
    fragments.push_back(vector::FromElementsOp::create(b, type, parts));
  }
  return fragments;
}

/// Assembly that reads and writes sums, its first operands, and reads more.
SmallVector<Value> assemble(ImplicitLocOpBuilder &b, StringRef text,
                            ValueRange sums, StringRef constraints = "",
                            ValueRange more = {}) {
  SmallVector<Value> inputs = scalarsOf(b, sums);
  const size_t tied = inputs.size();
  std::string all;
  llvm::raw_string_ostream os(all);
  for (size_t i = 0; i < tied; ++i)
    os << "=f,";
  for (size_t i = 0; i < tied; ++i)
    os << i << ",";
  os << constraints << "~{memory}";
  llvm::append_range(inputs, more);
  auto type = LLVM::LLVMStructType::getLiteral(
      b.getContext(), SmallVector<Type>(tied, b.getF32Type()));
  auto result = LLVM::InlineAsmOp::create(
      b, type, inputs, text, all, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr(), ArrayAttr());
  return fragmentsFrom(b, result.getResult(0), sums.size());
}

class WarpgroupContract : public TapWalk {
public:
  WarpgroupContract(ImplicitLocOpBuilder &builder, ir::ContractOp op,
                    const WarpTile &tile, Value patch, Value weights)
      : TapWalk(builder, op, tile), pixels(builder, op, tile, patch),
        local(builder, builder.getI32Type()),
        element(cast<MemRefType>(patch.getType()).getElementType()) {
    order = fragmentOrder(tile.kernel, pixels.layout());
    ahead = loadsAhead(tile.kernel, pixels.layout());
    locateWeights(flattenBuffer(b, weights));
  }

private:
  const PatchLayout &layout() const override { return pixels.layout(); }

  /// Interleaved octets are neighbours along the innermost dimension, others
  /// may be rows of the box.
  SmallVector<int64_t> loopOrder() const override {
    auto dims =
        llvm::to_vector(llvm::seq<int64_t>(tile.kernel.getBox().size()));
    if (tile.turns == 1)
      std::reverse(dims.begin(), dims.end());
    return dims;
  }

  /// The lower half of the descriptor of the warpgroup's first core matrix: its
  /// address, and from one half of the reduction to the next (PTX ISA
  /// 9.7.16.5.1.2.2, "Matrix Descriptor Format").
  void locateWeights(Value weights) {
    Value address =
        local.cast(memref::ExtractAlignedPointerAsIndexOp::create(b, weights));
    // A warp's octets of channels have two core matrices each.
    Value words = local.mul(tile.channel, 2 * kCoreWords / kOctet);
    if (tile.share)
      words = local.add(words, local.mul(tile.share, layout().sharePlanes() *
                                                         order.channels));
    address = local.add(address, local.mul(uniform(words), 4));
    weightBase = local.add(local.div(address, kDescriptorBytes),
                           kCoreWords * 4 / kDescriptorBytes << 16);
  }

  /// A value that is the same in all lanes, in a way that ptxas can see.
  Value uniform(Value value) {
    if (tile.kernel.getWorkers()[1] == 1 && !tile.share)
      return local.constant(0);
    return NVVM::ShflOp::create(b, b.getI32Type(), local.constant(-1), value,
                                local.constant(0), local.constant(31),
                                NVVM::ShflKind::idx, UnitAttr());
  }

  void multiply(const Shift &shift, const Taps &taps) override {
    const int64_t stepWords = kMmaPlanes * order.channels;
    SmallVector<Value> rows;
    for (const auto &[phase, row] : taps)
      rows.push_back(local.add(
          weightBase,
          local.mul(local.cast(row),
                    layout().planes * order.channels * 4 / kDescriptorBytes)));
    const int64_t stepsPerLoad = pixels.stepsPerLoad();
    pixels.nextShift();
    for (int64_t step = 0; step < layout().shareSteps(); step += stepsPerLoad) {
      Group group;
      const bool isFirst = first.empty();
      if (isFirst)
        markStart();
      group.steps = pixels.loadOnce(shift, step);
      for (int64_t i = 0; i < stepsPerLoad; ++i)
        for (auto [row, tap] : llvm::zip_equal(rows, taps))
          group.products.push_back(
              {tap.first, i, row,
               (step + i) * stepWords * 4 / kDescriptorBytes});
      note(group.steps);
      issuePending();
      pending = std::move(group);
      // The first group is issued at once: the last turn's last one may still
      // be under way.
      if (isFirst || !ahead)
        issuePending(isFirst);
    }
  }

  /// Multiplications that are committed together.
  struct Group {
    struct Product {
      int64_t phase, step;
      /// The lower half of the weights' descriptor: what the tap adds up to,
      /// and what the step adds.
      Value row;
      int64_t offset;
    };
    SmallVector<SmallVector<Octet>> steps; ///< Rows of each step.
    SmallVector<Product> products;
  };

  /// Issues the group that is loaded, if there is one, and waits for the one
  /// before it.
  void issuePending(bool takesSums = false) {
    if (!pending)
      return;
    fence(takesSums);
    for (const Group::Product &product : pending->products)
      multiplyStep(product.phase, pending->steps[product.step],
                   descriptor(local.add(product.row, product.offset)));
    NVVM::WgmmaGroupSyncAlignedOp::create(b);
    NVVM::WgmmaWaitGroupSyncOp::create(b, 1);
    pending.reset();
  }

  /// Orders what registers were before with the multiplications that follow
  /// (PTX ISA 9.7.16.7.1, "wgmma.fence"). Sums that come from elsewhere go
  /// through it: the register allocator may put copies in front of whoever
  /// takes them, which must not be a multiplication.
  void fence(bool takesSums) {
    if (takesSums)
      acc = assemble(b, "wgmma.fence.sync.aligned;", acc);
    else
      NVVM::WgmmaFenceAlignedOp::create(b);
  }

  Value descriptor(Value low) {
    // From eight channels to the next.
    constexpr int64_t high = 2 * kCoreWords * 4 / kDescriptorBytes;
    Value wide = arith::ExtUIOp::create(b, b.getI64Type(), low);
    Value rest = arith::ConstantOp::create(b, b.getI64IntegerAttr(high << 32));
    return arith::OrIOp::create(b, wide, rest);
  }

  void multiplyStep(int64_t phase, ArrayRef<Octet> octets, Value weights) {
    for (int64_t r = 0; r < tile.rowTiles(); ++r) {
      SmallVector<Value> rows;
      for (int64_t h = 0; h < 2; ++h)
        for (int64_t half = 0; half < 2; ++half)
          rows.push_back(bitsOf(octets[2 * r + half][h].value));
      MutableArrayRef<Value> sums(&acc[tile.fragment(phase, r, 0)],
                                  tile.columnTiles());
      wgmma(sums, rows, weights);
    }
  }

  Value bitsOf(Value word) {
    return word.getType().isInteger(32)
               ? word
               : Value(LLVM::BitcastOp::create(b, b.getI32Type(), word));
  }

  /// The dialect's operation takes both operands from workgroup memory, so this
  /// one is written out.
  void wgmma(MutableArrayRef<Value> sums, ArrayRef<Value> rows, Value weights) {
    const auto count = int64_t(4 * sums.size());
    std::string text;
    llvm::raw_string_ostream os(text);
    const char *type = element.isF32()   ? "tf32"
                       : element.isF16() ? "f16"
                                         : "bf16";
    os << "{\n.reg .pred p;\nsetp.eq.u32 p, 0, 0;\n"
       << "wgmma.mma_async.sync.aligned.m64n" << kOctet * sums.size() << "k"
       << kMmaPlanes * layout().wordElements << ".f32." << type << "." << type
       << " {";
    for (int64_t i = 0; i < count; ++i)
      os << (i ? ", $" : "$") << i;
    // Inputs: the sums again, tied to the outputs.
    os << "}, {";
    for (int64_t i = 0; i < 4; ++i)
      os << (i ? ", $" : "$") << 2 * count + i;
    os << "}, $" << 2 * count + 4 << ", p, 1, 1"
       << (element.isF32() ? "" : ", 0") << ";\n}";
    SmallVector<Value> more(rows);
    more.push_back(weights);
    llvm::copy(assemble(b, text, ValueRange(sums), "r,r,r,r,l,", more),
               sums.begin());
  }

  /// The registers of a group's rows.
  void note(ArrayRef<SmallVector<Octet>> loaded) {
    last.clear();
    for (const SmallVector<Octet> &step : loaded)
      for (const Octet &octet : step)
        for (const Register &word : octet)
          last.insert(word.value);
    if (first.empty())
      first = last;
  }

  /// Straight code begins here.
  void markStart() {
    start = b.getInsertionBlock();
    before = b.getInsertionPoint() == start->begin()
                 ? nullptr
                 : &*std::prev(b.getInsertionPoint());
  }

  void drain() override {
    issuePending();
    if (llvm::any_of(last, [&](Value word) { return first.contains(word); })) {
      OpBuilder::InsertionGuard guard(b);
      if (before)
        b.setInsertionPointAfter(before);
      else
        b.setInsertionPointToStart(start);
      NVVM::WgmmaWaitGroupSyncOp::create(b, 0);
    }
    first.clear();
    last.clear();
    pixels.forget();
  }

  PatchFragments pixels;
  IndexMath local;
  Type element;
  FragmentOrder order;
  bool ahead = false;
  Value weightBase;
  /// Loaded and not issued yet.
  std::optional<Group> pending;
  // Of straight code: its block, the operation before it, if any, and the
  // registers of the rows of its first group and its last.
  Block *start = nullptr;
  Operation *before = nullptr;
  DenseSet<Value> first, last;
};

} // namespace

SmallVector<Value> ctc::buildWarpgroupContract(ImplicitLocOpBuilder &b,
                                               ir::ContractOp op,
                                               const WarpTile &tile,
                                               Value patch, Value weights,
                                               ValueRange acc) {
  return WarpgroupContract(b, op, tile, patch, weights).walk(acc);
}

SmallVector<Value> ctc::buildSettle(ImplicitLocOpBuilder &b,
                                    const WarpTile &tile, ValueRange acc) {
  if (!tile.kernel.usesWarpgroups())
    return SmallVector<Value>(acc);
  // All sums go through the wait, so that nobody reads them before.
  return assemble(b, "wgmma.wait_group.sync.aligned 0;", acc);
}
