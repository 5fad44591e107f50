//===- PackKernel.cpp - The kernel that packs weights ---------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackKernel.h"
#include "FlatAccess.h"
#include "IndexMath.h"
#include "PhaseTable.h"
#include "ctc/Chips/Chips.h"
#include "ctc/Support/IntegerMath.h"
#include "ctc/Tuning/MmaLayout.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace ctc;

static constexpr int64_t kPackThreads = 256;

/// The kernel element at a slot of the phase-ordered kernel: the inverse of
/// Phase::firstSlot. Classes k0, k0+T, ... stand in the order of k0, and the
/// first K mod T of them have one tap more.
static Value tapOfSlot(IndexMath &math, ImplicitLocOpBuilder &b, Value slot,
                       int64_t kernel, int64_t tapStep) {
  const int64_t shorter = kernel / tapStep, longer = shorter + 1;
  const int64_t split = kernel % tapStep * longer;
  auto locate = [&](Value number, int64_t length, int64_t first) {
    return math.add(math.mul(math.rem(number, length), tapStep),
                    math.add(math.div(number, length), first));
  };
  if (split == kernel)
    return locate(slot, longer, 0);
  Value late = locate(math.add(slot, -split), shorter, kernel % tapStep);
  if (split == 0)
    return late;
  return arith::SelectOp::create(b, math.less(slot, math.constant(split)),
                                 locate(slot, longer, 0), late);
}

/// The input channel of the group and the output channel of the tile that stand
/// at an element of a chunk, counted from the chunk's first: the inverse of
/// fragmentElement (Tuning/MmaLayout.h).
static std::pair<Value, Value>
fragmentChannels(IndexMath &math, const FragmentOrder &order, Value element) {
  const int64_t octets = order.octets();
  const int64_t steps = order.planes / kMmaPlanes;
  const int64_t units = order.channels / order.unit;
  // (step, unit, octet, g, t, h, element of the word), whatever their order.
  SmallVector<Value> digits;
  if (order.cores) {
    digits = math.delinearize(
        element, {steps, units, octets, 2, kOctet, 4, order.wordElements});
    digits = {digits[0], digits[1], digits[2], digits[4],
              digits[5], digits[3], digits[6]};
  } else {
    digits = math.delinearize(
        element, {steps, units, kOctet, 4, 2, octets, order.wordElements});
    digits = {digits[0], digits[1], digits[5], digits[2],
              digits[3], digits[4], digits[6]};
  }
  Value step = digits[0], octet = digits[2], g = digits[3], t = digits[4],
        h = digits[5];
  Value plane;
  if (order.planesContiguous) {
    // Inside a share of the planes as in a chunk that has no more.
    const int64_t planes = order.planes / order.split;
    const int64_t shareSteps = planes / kMmaPlanes;
    const int64_t run = order.lanePlanes ? order.lanePlanes : planes / 4;
    Value inShare = order.split == 1 ? step : math.rem(step, shareSteps);
    Value k = math.add(math.mul(inShare, 2), h);
    if (run < planes / 4)
      k = math.add(math.mul(math.div(k, run), 4 * run), math.rem(k, run));
    plane = math.add(math.mul(t, run), k);
    if (order.split > 1)
      plane = math.add(plane, math.mul(math.div(step, shareSteps), planes));
  } else {
    plane = math.add(math.add(math.mul(step, kMmaPlanes), t), math.mul(h, 4));
  }
  Value input = math.add(math.mul(plane, order.wordElements), digits[6]);
  Value inUnit =
      order.columns && octets == 2
          ? math.add(math.add(math.mul(math.div(g, 2), 4), math.mul(octet, 2)),
                     math.rem(g, 2))
          : math.add(math.mul(octet, kOctet), g);
  return {input, math.add(math.mul(digits[1], order.unit), inUnit)};
}

/// Puts the coordinates (group, tile, slots, input, output) of what stands at a
/// place of fragments: inside a tile its elements stand in the order (chunk,
/// slots, fragments).
static void reorderFragments(IndexMath &math, ir::PackWeightsOp op,
                             SmallVector<Value> &at) {
  const auto target = cast<MemRefType>(op.getPacked().getType());
  ir::FragmentsAttr fragments = op.getFragmentsAttr();
  const int64_t tile = target.getShape().back();
  const int64_t chunk = fragments.getChunkChannels();
  // The place in the tile, then its digits in the order it has.
  Value place = at[2];
  SmallVector<int64_t> basis{target.getShape()[target.getRank() - 2] / chunk};
  for (size_t i = 2; i < at.size(); ++i) {
    if (i > 2)
      place = math.add(math.mul(place, target.getDimSize(int64_t(i))), at[i]);
    if (i + 2 < at.size())
      basis.push_back(target.getDimSize(int64_t(i)));
  }
  basis.push_back(chunk * tile);
  SmallVector<Value> digits = math.delinearize(place, basis);

  FragmentOrder order;
  order.wordElements = 32 / target.getElementTypeBitWidth();
  order.planes = chunk / order.wordElements;
  order.planesContiguous = fragments.getLayout() == ir::Layout::ChannelsLast;
  order.columns = fragments.getLanes() == ir::Lanes::Channels;
  order.channels = tile;
  order.unit = fragments.getUnit();
  order.cores = fragments.getCores();
  order.split = fragments.getSplit();
  order.lanePlanes = fragments.getLanePlanes();
  auto [input, output] = fragmentChannels(math, order, digits.back());
  for (size_t i = 2; i + 2 < at.size(); ++i)
    at[i] = digits[i - 1];
  at[at.size() - 2] = math.add(math.mul(digits[0], chunk), input);
  at.back() = output;
}

/// The body for packed element `number`.
static void buildElement(ImplicitLocOpBuilder &b, ir::PackWeightsOp op,
                         Value weight, Value packed, Value number) {
  IndexMath math(b, b.getIndexType());
  const auto source = cast<MemRefType>(weight.getType());
  const auto target = cast<MemRefType>(packed.getType());
  const int64_t rank = source.getRank() - 2, groups = op.getGroups();
  // Where input channels, output channels and kernel stand in the weight.
  const auto dims = ir::weightDims(op.getWeightLayout(), rank);
  const int64_t groupInputs = source.getDimSize(dims[0]) / groups;
  SmallVector<Value> at = math.delinearize(number, target.getShape());

  const SmallVector<Value> place = at;
  if (op.getFragments())
    reorderFragments(math, op, at);
  Value channel = at[rank + 2], group = at[0];
  // The channels of a tile are those of its groups.
  const int64_t tile = op.getGroupTile();
  const int64_t channels = target.getShape().back() / tile;
  Value output = at.back();
  if (tile > 1) {
    group = math.add(math.mul(group, tile), math.div(output, channels));
    output = math.rem(output, channels);
  }
  output = math.add(math.mul(at[1], channels), output);
  Value real = arith::AndIOp::create(
      b, math.less(channel, math.constant(groupInputs)),
      math.less(output, math.constant(source.getDimSize(dims[1]))));
  if (groups % tile != 0)
    real =
        arith::AndIOp::create(b, real, math.less(group, math.constant(groups)));
  SmallVector<Value> indices(source.getRank());
  indices[dims[0]] = math.add(math.mul(group, groupInputs), channel);
  indices[dims[1]] = output;
  for (int64_t i = 0; i < rank; ++i)
    indices[dims[i + 2]] = tapOfSlot(
        math, b, at[i + 2], source.getDimSize(dims[i + 2]), op.getTapStep()[i]);
  // Padding reads element 0 and drops it, which is cheaper than a branch.
  for (Value &index : indices)
    index = arith::SelectOp::create(b, real, index, math.constant(0));
  Value value = memref::LoadOp::create(b, weight, indices);
  if (op.getRoundTf32())
    value = roundToTF32(b, value);
  Value zero =
      arith::ConstantOp::create(b, b.getZeroAttr(source.getElementType()));
  value = arith::SelectOp::create(b, real, value, zero);
  memref::StoreOp::create(b, value, packed, place);
}

LogicalResult ctc::buildPackKernel(ir::PackWeightsOp op,
                                   gpu::GPUModuleOp kernels) {
  auto prepare = op->getParentOfType<func::FuncOp>();
  if (!prepare || !llvm::equal(op->getOperands(), prepare.getArguments()))
    return op.emitOpError(
        "must take the two arguments of a func.func in their order");
  const auto packed = cast<MemRefType>(op.getPacked().getType());
  const int64_t elements = packed.getNumElements();
  if (elements == 0) {
    op.erase();
    return success();
  }
  const int64_t blocks = ceilDiv(elements, kPackThreads);
  if (blocks > kMaxGridX)
    return op.emitOpError("packs ") << elements << " elements, at most "
                                    << kMaxGridX * kPackThreads << " are legal";

  ImplicitLocOpBuilder b(op.getLoc(), op->getContext());
  SmallVector<Type> types;
  for (Value operand : op->getOperands())
    types.push_back(inGlobalMemory(cast<MemRefType>(operand.getType())));
  b.setInsertionPointToEnd(kernels.getBody());
  auto function = gpu::GPUFuncOp::create(b, prepare.getSymName(),
                                         b.getFunctionType(types, {}));
  function->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), b.getUnitAttr());
  function.setKnownBlockSizeAttr(
      b.getDenseI32ArrayAttr({int32_t(kPackThreads), 1, 1}));
  b.setInsertionPointToStart(&function.getBody().front());
  IndexMath math(b, b.getIndexType());
  Value number = math.add(
      math.mul(gpu::BlockIdOp::create(b, gpu::Dimension::x), kPackThreads),
      gpu::ThreadIdOp::create(b, gpu::Dimension::x));
  auto guard = scf::IfOp::create(b, math.less(number, math.constant(elements)),
                                 /*withElseRegion=*/false);
  b.setInsertionPointToStart(guard.thenBlock());
  buildElement(b, op, function.getArgument(0), function.getArgument(1), number);
  b.setInsertionPointAfter(guard);
  gpu::ReturnOp::create(b);

  b.setInsertionPoint(op);
  ir::LaunchOp::create(b,
                       SymbolRefAttr::get(kernels.getSymNameAttr(),
                                          {FlatSymbolRefAttr::get(function)}),
                       op->getOperands(), blocks, /*batch_tile=*/int64_t(0),
                       kPackThreads, /*dynamic_shared=*/int64_t(0),
                       /*passes_batch=*/false, /*programmatic=*/false);
  op.erase();
  return success();
}
