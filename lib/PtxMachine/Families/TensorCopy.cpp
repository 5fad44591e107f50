//===- TensorCopy.cpp - cp.async.bulk.tensor and its kin ------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: Tensor copy":
// cp.async.bulk.tensor, cp.reduce.async.bulk.tensor and
// cp.async.bulk.prefetch.tensor, of 1 to 5 dimensions, tiled and im2col. The
// copies themselves are in ../TensorTransfer.h.
//
//  * As all bulk copies, they are performed when issued (BulkCopy.cpp).
//  * The tensor map is one of include/ctc/PtxMachine/TensorMap.h, at a generic
//    address of a parameter, constant or global memory.
//  * Shared memory is a multiple of 128; coordinate 0 is at a multiple of 16
//    bytes, and the start of an im2col copy within the pixel box; anything else
//    is a fault here as it is on an H200.
//  * complete_tx counts the whole box. With .multicast::cluster every block of
//    the mask gets it, at the same place, and its own mbarrier is told.
//  * Modes and modifiers of compute capability 10.0 (.tile::gather4,
//  .im2col::w,
//    .cta_group) are unknown.
//
//===----------------------------------------------------------------------===//

#include "Families/BulkOperands.h"
#include "Families/Families.h"
#include "Transfers/TensorTransfer.h"

namespace ctc::ptx::CTC_PTX_LEVEL {
namespace {

/// Operands of all: the map, coordinates 0 to 4, offsets 0 to 2, then those of
/// the instruction.
constexpr unsigned kPlaceOperands = 1 + kMaxTensorRank + kMaxPixelRank;

/// op.count is the rank; op.immediate has the mode, and the reduction above it.
TensorOperand tensorOf(Warp &warp, const Op &op, unsigned lane) {
  TensorOperand tensor;
  tensor.map = wideOperandOf<uint64_t>(warp, op, 0, lane);
  tensor.rank = op.count;
  tensor.mode = static_cast<TensorMode>(op.immediate & 1);
  for (unsigned i = 0; i < kMaxTensorRank; ++i)
    tensor.place.coordinates[i] = wideOperandOf<int32_t>(warp, op, 1 + i, lane);
  for (unsigned i = 0; i < kMaxPixelRank; ++i)
    tensor.place.offsets[i] =
        wideOperandOf<uint16_t>(warp, op, 1 + kMaxTensorRank + i, lane);
  return tensor;
}

/// Operands: target, mbarrier, block mask.
bool load(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!tensorToShared(transfer, tensorOf(warp, op, lane),
                        targetOf(warp, op, kPlaceOperands, lane)))
      return false;
  }
  return true;
}

/// Operand: source.
bool store(Warp &warp, const Op &op, LaneMask mask) {
  const int64_t reduction = op.immediate >> 1;
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!tensorToGlobal(
            transfer, tensorOf(warp, op, lane),
            wideOperandOf<uint64_t>(warp, op, kPlaceOperands, lane),
            reduction ? std::optional(static_cast<ReduceOp>(reduction - 1))
                      : std::nullopt))
      return false;
  }
  return true;
}

bool prefetch(Warp &warp, const Op &op, LaneMask mask) {
  for (LaneMask left = mask; left; left &= left - 1) {
    const unsigned lane = lowestLane(left);
    AsyncTransfer transfer(warp, op, lane);
    if (!tensorPrefetch(transfer, tensorOf(warp, op, lane)))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoders
//===----------------------------------------------------------------------===//

/// What an instruction's modifiers and tensor operand say.
struct TensorSyntax {
  unsigned rank = 0;
  TensorMode mode = TensorMode::Tiled;
  bool hasOffsets = false; ///< An operand {offsets}.
  bool hint = false;       ///< A cache policy as last operand.

  size_t offsetCount() const { return hasOffsets ? rank - 2 : 0; }
};

/// .dim{.load_mode}{.L2::cache_hint}; im2col of a store has no offsets.
std::optional<TensorSyntax> takeSyntax(OpBuilder &b, bool isStore) {
  TensorSyntax syntax;
  syntax.rank =
      static_cast<unsigned>(b.takeOneOf({"1d", "2d", "3d", "4d", "5d"}) + 1);
  const bool tiled = b.take("tile");
  const bool im2col = b.take(isStore ? "im2col_no_offs" : "im2col");
  syntax.hint = b.take("L2::cache_hint");
  if (syntax.rank == 0 || (tiled && im2col) || (im2col && syntax.rank < 3))
    return std::nullopt;
  syntax.mode = im2col ? TensorMode::Im2col : TensorMode::Tiled;
  syntax.hasOffsets = im2col && !isStore;
  return syntax;
}

/// Whether [map, {coordinates}] and {offsets} are as the syntax wants them.
bool isPlace(const TensorSyntax &syntax, const Operand &tensor,
             const Operand &offsets) {
  return tensor.kind == Operand::Kind::Address && tensor.elements.size() == 2 &&
         tensor.elements[1].kind == Operand::Kind::Vector &&
         tensor.elements[1].elements.size() == syntax.rank &&
         (!syntax.hasOffsets ||
          (offsets.kind == Operand::Kind::Vector &&
           offsets.elements.size() == syntax.offsetCount()));
}

/// The first kPlaceOperands slots.
std::vector<Slot> placeSlots(OpBuilder &b, const TensorSyntax &syntax,
                             const Operand &tensor, const Operand &offsets) {
  constexpr Type s32{TypeKind::Signed, 32};
  std::vector<Slot> slots{addressSlot(b, tensor)};
  for (unsigned i = 0; i < kMaxTensorRank; ++i)
    slots.push_back(i < syntax.rank ? b.use(tensor.elements[1].elements[i], s32)
                                    : b.constant(0, 32));
  for (unsigned i = 0; i < kMaxPixelRank; ++i)
    slots.push_back(i < syntax.offsetCount() ? b.use(offsets.elements[i], kB16)
                                             : b.constant(0, 32));
  return slots;
}

Decode finish(OpBuilder &b, const TensorSyntax &syntax, Handler run,
              std::vector<Slot> slots, TargetModifiers target = {},
              std::optional<ReduceOp> reduction = std::nullopt) {
  if (syntax.hint)
    b.use(b.operandCount() - 1, kB64); // Only checked to be an operand.
  Op &op = emitWide(b, run, std::move(slots));
  op.count = static_cast<uint16_t>(syntax.rank);
  op.mode = targetMode(target);
  op.immediate = static_cast<int64_t>(syntax.mode) |
                 (reduction ? (static_cast<int64_t>(*reduction) + 1) << 1 : 0);
  return Decode::Done;
}

/// [target], [map, {coordinates}], [mbarrier]{, {offsets}}{, block mask}
/// {, policy}
Decode decodeLoad(OpBuilder &b) {
  TargetModifiers target;
  auto syntax = takeSyntax(b, /*isStore=*/false);
  target.ownBlock = takeSpaces(b, "shared::cta", "global");
  if (!syntax ||
      (!target.ownBlock && !takeSpaces(b, "shared::cluster", "global")))
    return Decode::NotMine;
  target.multicast = !target.ownBlock && b.take("multicast::cluster");
  if (!b.allTaken())
    return Decode::NotMine;
  const size_t offsets = 3, blocks = offsets + syntax->hasOffsets;
  const Operand &tensor = b.operand(1);
  if (b.operandCount() != blocks + target.multicast + syntax->hint ||
      !isPlace(*syntax, tensor, b.operand(offsets)))
    return Decode::NotMine;
  std::vector<Slot> slots = placeSlots(b, *syntax, tensor, b.operand(offsets));
  slots.push_back(addressSlot(b, b.operand(0)));
  slots.push_back(addressSlot(b, b.operand(2)));
  slots.push_back(target.multicast ? b.use(blocks, kB16) : b.constant(0, 32));
  return finish(b, *syntax, load, std::move(slots), target);
}

/// [map, {coordinates}], [source]{, policy}
Decode decodeStore(OpBuilder &b, bool reduces) {
  auto reduction = reduces ? takeReduction(b) : std::nullopt;
  auto syntax = takeSyntax(b, /*isStore=*/true);
  const Operand &tensor = b.operand(0);
  if (!syntax || reduces != reduction.has_value() ||
      !takeSpaces(b, "global", "shared::cta") || !b.allTaken() ||
      b.operandCount() != 2u + syntax->hint ||
      !isPlace(*syntax, tensor, b.operand(1)))
    return Decode::NotMine;
  std::vector<Slot> slots = placeSlots(b, *syntax, tensor, b.operand(1));
  slots.push_back(addressSlot(b, b.operand(1)));
  return finish(b, *syntax, store, std::move(slots), {}, reduction);
}

/// [map, {coordinates}]{, {offsets}}{, policy}
Decode decodePrefetch(OpBuilder &b) {
  auto syntax = takeSyntax(b, /*isStore=*/false);
  const Operand &tensor = b.operand(0);
  if (!syntax || !b.take("L2") || !b.take("global") || !b.allTaken() ||
      b.operandCount() != 1u + syntax->hasOffsets + syntax->hint ||
      !isPlace(*syntax, tensor, b.operand(1)))
    return Decode::NotMine;
  return finish(b, *syntax, prefetch,
                placeSlots(b, *syntax, tensor, b.operand(1)));
}

Decode decodeTensor(OpBuilder &b) {
  const bool reduces = b.take("reduce");
  if (!b.take("async") || !b.take("bulk"))
    return Decode::NotMine;
  const bool prefetches = !reduces && b.take("prefetch");
  if (!b.take("tensor"))
    return Decode::NotMine;
  if (prefetches)
    return decodePrefetch(b);
  if (!reduces && b.take("mbarrier::complete_tx::bytes"))
    return decodeLoad(b);
  return b.take("bulk_group") ? decodeStore(b, reduces) : Decode::NotMine;
}

} // namespace

void addTensorCopy(DecoderTable &table) { table.insert({"cp", decodeTensor}); }

} // namespace ctc::ptx::CTC_PTX_LEVEL
