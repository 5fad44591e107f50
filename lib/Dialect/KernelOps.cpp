//===- KernelOps.cpp - Tile-level operations ------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Effects.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Dialect/EpilogueOps.h"
#include "ctc/Support/IntegerMath.h"

using namespace mlir;
using namespace ctc::ir;

static LogicalResult verifyCount(Operation *op, llvm::StringRef what,
                                 size_t count, int64_t expected) {
  if (int64_t(count) == expected)
    return success();
  return op->emitOpError(what)
         << " has " << count << " values, must have one "
         << "for each of " << expected << " spatial dimensions";
}

void LoadPatchOp::getEffects(Effects &effects) {
  addBufferEffects(*this, nullptr, effects);
}

LogicalResult LoadPatchOp::verify() {
  const int64_t rank = getInput().getType().getRank() - 2;
  const int64_t patchRank = cast<VectorType>(getPatch().getType()).getRank();
  if (patchRank != rank + 2)
    return emitOpError("patch has rank ")
           << patchRank << ", must be " << rank + 2
           << " (channels, samples, halo)";
  return verifyCount(*this, "origin", getOrigin().size(), rank);
}

void LoadWeightsOp::getEffects(Effects &effects) {
  addBufferEffects(*this, nullptr, effects);
}

LogicalResult LoadWeightsOp::verify() {
  const int64_t rank = getPacked().getType().getRank() - 4;
  const int64_t tileRank = cast<VectorType>(getWeights().getType()).getRank();
  if (tileRank != rank + 2)
    return emitOpError("weights have rank ")
           << tileRank << ", must be " << rank + 2
           << " (taps, input channels, output channels)";
  if (failed(verifyCount(*this, "slot", getSlot().size(), rank)))
    return failure();
  return verifyCount(*this, "count", getCount().size(), rank);
}

void ContractOp::getEffects(Effects &effects) {
  addBufferEffects(*this, nullptr, effects);
}

/// The pairs of a dimension: none, or one for every tap of the chunk.
static LogicalResult verifyPhaseTaps(ContractOp op, int64_t dim) {
  auto pairs = cast<DenseI64ArrayAttr>((*op.getPhaseTaps())[dim]);
  const auto weights = cast<ShapedType>(op.getWeights().getType());
  const int64_t halo = op.getHalo()[dim];
  // A flat buffer in workgroup memory does not say how many taps it holds.
  const bool flat = weights.getRank() == 1;
  const int64_t taps =
      flat ? int64_t(pairs.size()) / 2 : weights.getDimSize(dim);
  if (!pairs.empty() && pairs.size() != 2 * taps)
    return op.emitOpError("phase_taps has ")
           << pairs.size() << " numbers in dimension " << dim
           << ", must have none or a phase and a shift for each of " << taps
           << " taps";
  for (int64_t tap = 0; 2 * tap < pairs.size(); ++tap)
    if (pairs[2 * tap] < -1 || pairs[2 * tap + 1] < 0 ||
        pairs[2 * tap + 1] >= halo)
      return op.emitOpError("phase_taps has phase ")
             << pairs[2 * tap] << " with shift " << pairs[2 * tap + 1]
             << " in dimension " << dim
             << ", must be a phase, or -1 for none, with a shift from 0 to "
             << halo - 1;
  return success();
}

LogicalResult ContractOp::verify() {
  const int64_t rank = getInputStep().size();
  if (failed(verifyCount(*this, "halo", getHalo().size(), rank)))
    return failure();
  if (std::optional<ArrayAttr> taps = getPhaseTaps()) {
    if (failed(verifyCount(*this, "phase_taps", taps->size(), rank)))
      return failure();
    for (int64_t i = 0; i < rank; ++i)
      if (failed(verifyPhaseTaps(*this, i)))
        return failure();
  }
  return verifyCount(*this, "count", getCount().size(), rank);
}

LogicalResult CopyChunkOp::verifyRegions() {
  auto issued = dyn_cast<CopiedOp>(getIssue().front().getTerminator());
  auto completed = dyn_cast<CopiedOp>(getComplete().front().getTerminator());
  if (!issued || !completed)
    return emitOpError("regions must end in ctc.copied");
  if (!getIssue().getArguments().empty() || completed->getNumOperands() != 0)
    return emitOpError("issue takes and complete yields no values");
  if (TypeRange(issued.getValues()) != TypeRange(getComplete().getArguments()))
    return emitOpError("issue yields (")
           << issued->getOperandTypes() << ") and complete takes ("
           << getComplete().getArgumentTypes() << "), must be the same";
  return success();
}

void StoreTileOp::getEffects(Effects &effects) {
  addBufferEffects(*this, &getOutputMutable(), effects);
}

LogicalResult StoreTileOp::verify() {
  const int64_t rank = getOutput().getType().getRank() - 2;
  const size_t maps = getExtraMaps() ? getExtraMaps()->size() : 0;
  if (maps != getExtras().size())
    return emitOpError("has ") << getExtras().size() << " extra operands and "
                               << maps << " extra_maps, must be as many";
  if (failed(verifyCount(*this, "origin", getOrigin().size(), rank)) ||
      failed(verifyCount(*this, "extent", getExtent().size(), rank)))
    return failure();
  if (getPhases() &&
      failed(verifyCount(*this, "phases", getPhases()->size(), rank)))
    return failure();
  return verifyCount(*this, "stride", getStride().size(), rank);
}

LogicalResult StoreTileOp::verifyRegions() {
  SmallVector<Type> extraTypes;
  for (Value value : getExtras())
    extraTypes.push_back(cast<MemRefType>(value.getType()).getElementType());
  return verifyEpilogue(*this, getEpilogue(), extraTypes);
}

void PackWeightsOp::getEffects(Effects &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getWeightMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getPackedMutable());
}

/// Groups, and room for all channels of a group.
static LogicalResult verifyPackedChannels(PackWeightsOp op, int64_t inputs,
                                          int64_t groupOutputs) {
  const auto packed = cast<MemRefType>(op.getPacked().getType());
  const int64_t groups = op.getGroups(), rank = packed.getRank();
  const int64_t tile = op.getGroupTile();
  if (groups < 1 || inputs % groups != 0)
    return op.emitOpError("groups is ")
           << groups << ", must be at least 1 and divide " << inputs
           << " input channels";
  if (tile < 1 || (tile > 1 && (packed.getDimSize(1) != 1 ||
                                packed.getDimSize(rank - 1) % tile != 0)))
    return op.emitOpError("group_tile is ")
           << tile << ", must be at least 1 and, above it, divide the "
           << packed.getDimSize(rank - 1) << " channels of the only tile of "
           << packed.getDimSize(1);
  if (packed.getDimSize(0) != ctc::ceilDiv(groups, tile))
    return op.emitOpError("packed has ")
           << packed.getDimSize(0) << " groups, must be "
           << ctc::ceilDiv(groups, tile);
  const int64_t inputRoom = packed.getDimSize(rank - 2);
  const int64_t outputRoom =
      packed.getDimSize(1) * packed.getDimSize(rank - 1) / tile;
  if (inputRoom < inputs / groups || outputRoom < groupOutputs)
    return op.emitOpError("packed holds ")
           << inputRoom << " by " << outputRoom
           << " channels of a group, must be at least " << inputs / groups
           << " by " << groupOutputs;
  return success();
}

/// Fragments of matrix instructions fill chunks and tiles.
static LogicalResult verifyFragments(PackWeightsOp op) {
  const FragmentsAttr fragments = op.getFragmentsAttr();
  if (!fragments)
    return success();
  const auto packed = cast<MemRefType>(op.getPacked().getType());
  const int64_t inputs = packed.getDimSize(packed.getRank() - 2);
  const int64_t outputs = packed.getDimSize(packed.getRank() - 1);
  const int64_t chunk = fragments.getChunkChannels();
  const int64_t unit = fragments.getUnit();
  // A step reduces over 8 words of 32 bits.
  const int64_t step = 8 * 32 / packed.getElementTypeBitWidth();
  if (chunk < 1 || chunk % step != 0 || inputs % chunk != 0)
    return op.emitOpError("fragments have chunk_channels ")
           << chunk << ", must be a multiple of " << step << " that divides "
           << inputs << " packed input channels";
  const int64_t split = fragments.getSplit();
  if (split < 1 || split > chunk / step || chunk % (split * step) != 0)
    return op.emitOpError("fragments have split ")
           << split << ", must be at least 1 and divide the " << chunk / step
           << " steps of a chunk";
  // A lane has a quarter of the words, a pair a step.
  const int64_t run = fragments.getLanePlanes(),
                lane = chunk / step / split * 2;
  if (run != 0 && (run < 2 || run % 2 != 0 || lane % run != 0))
    return op.emitOpError("fragments have lane_planes ")
           << run << ", must be 0 or an even divisor of the " << lane
           << " words of a lane";
  if ((unit != 8 && unit != 16) || outputs % unit != 0)
    return op.emitOpError("fragments have unit ")
           << unit << ", must be 8 or 16 and divide a tile of " << outputs
           << " output channels";
  // Only weights that are columns stand in core matrices, in units of eight
  // where their outputs do not lie together.
  const bool first = fragments.getLayout() == Layout::ChannelsFirst;
  if (fragments.getCores() &&
      (fragments.getLanes() != Lanes::Channels || (first && unit != 8)))
    return op.emitOpError("fragments have cores with lanes = ")
           << stringifyLanes(fragments.getLanes()) << " and unit " << unit
           << ", must have lanes = channels, and unit 8 in channels_first";
  return success();
}

LogicalResult PackWeightsOp::verify() {
  const auto weight = cast<MemRefType>(getWeight().getType());
  const auto packed = cast<MemRefType>(getPacked().getType());
  const int64_t rank = weight.getRank() - 2;
  if (rank < 1 || packed.getRank() != rank + 4)
    return emitOpError("packs ")
           << weight << " into " << packed << ", must have rank "
           << weight.getRank() + 2
           << " (groups, tiles, slots, input channels, output channels)";
  if (!weight.hasStaticShape() || !packed.hasStaticShape())
    return emitOpError("packs ")
           << weight << " into " << packed << ", must be static shapes";
  if (packed.getElementType() != weight.getElementType())
    return emitOpError("packed element type ")
           << packed.getElementType() << " differs from the weight's, "
           << weight.getElementType();
  const SmallVector<int64_t> dims = weightDims(getWeightLayout(), rank);
  for (int64_t i = 0; i < rank; ++i)
    if (packed.getDimSize(i + 2) != weight.getDimSize(dims[i + 2]))
      return emitOpError("packed has ")
             << packed.getDimSize(i + 2) << " slots in spatial dimension " << i
             << ", must be the kernel size " << weight.getDimSize(dims[i + 2]);
  if (failed(verifyCount(*this, "tap_step", getTapStep().size(), rank)))
    return failure();
  for (int64_t step : getTapStep())
    if (step < 1)
      return emitOpError("tap_step is ") << step << ", must be at least 1";
  if (failed(verifyFragments(*this)))
    return failure();
  return verifyPackedChannels(*this, weight.getDimSize(dims[0]),
                              weight.getDimSize(dims[1]));
}

void LaunchOp::getEffects(Effects &effects) {
  for (OpOperand &operand : (*this)->getOpOperands()) {
    effects.emplace_back(MemoryEffects::Read::get(), &operand);
    effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}
