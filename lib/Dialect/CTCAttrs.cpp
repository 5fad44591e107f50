//===- CTCAttrs.cpp - Attributes of the ctc dialect -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Chips/Chips.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Support/IntegerMath.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include <numeric>

using namespace ctc::ir;
using llvm::function_ref;
using llvm::LogicalResult;
using llvm::success;
using mlir::DenseI64ArrayAttr;
using mlir::InFlightDiagnostic;

#define GET_ATTRDEF_CLASSES
#include "ctc/Dialect/CTCAttrs.cpp.inc"

/// Threads of a warp.
static constexpr int64_t kWarpSize = 32;

void CTCDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "ctc/Dialect/CTCAttrs.cpp.inc"
      >();
}

LogicalResult TargetAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 llvm::StringRef chip) {
  if (!findChip(chip))
    return emitError() << "unknown chip '" << chip << "', must be one of "
                       << listChips();
  return success();
}

int64_t KernelAttr::getThreads() const {
  const int64_t workers = getWorkers()[0] * getWorkers()[1] * getSplit();
  return getFamily() == Family::Simt ? workers : workers * kWarpSize;
}

/// Channels are divided into whole units (fragmentUnit in Tuning/MmaLayout.h).
std::optional<std::pair<int64_t, int64_t>>
KernelAttr::getStoredParts(Lanes lanes, llvm::ArrayRef<int64_t> tile,
                           int64_t split) {
  const bool rows = lanes == Lanes::Channels;
  const int64_t positions = tile[0] / (rows ? 16 : 8);
  const int64_t channels = tile[1] / (tile[1] % 16 == 0 ? 16 : 8);
  const int64_t first = std::gcd(split, rows ? positions : channels);
  const int64_t second = split / first; // At least 1, as split is.
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero)
  if ((rows ? channels : positions) % second != 0)
    return std::nullopt;
  return rows ? std::pair(first, second) : std::pair(second, first);
}

KernelAttr KernelAttr::getStoringKernel() const {
  if (getSplit() == 1)
    return *this;
  const auto [positions, channels] =
      *getStoredParts(getLanes(), getWorkerTile(), getSplit());
  auto sizes = [&](int64_t first, int64_t second) {
    return DenseI64ArrayAttr::get(getContext(), {first, second});
  };
  return get(
      getContext(), getFamily(), getLanes(), getBatch(), getBox(), getPhases(),
      getTaps(), getChunkChannels(),
      sizes(getWorkers()[0] * positions, getWorkers()[1] * channels),
      sizes(getWorkerTile()[0] / positions, getWorkerTile()[1] / channels),
      getStages(), getClip(), getSource(), getGroups(), /*split=*/1);
}

int64_t KernelAttr::getPhaseCount() const {
  return checkedProduct(getPhases().asArrayRef()).value_or(0);
}

int64_t KernelAttr::getBoxVolume() const {
  int64_t volume = getBatch();
  for (int64_t size : getBox().asArrayRef())
    volume *= size;
  return volume;
}

KernelAttr KernelAttr::withSource(ChoiceSource source) const {
  return get(getContext(), getFamily(), getLanes(), getBatch(), getBox(),
             getPhases(), getTaps(), getChunkChannels(), getWorkers(),
             getWorkerTile(), getStages(), getClip(), source, getGroups(),
             getSplit());
}

namespace {
/// A number of a kernel and what is legal for it.
struct Limit {
  const char *what;
  int64_t value, least, most, multiple = 1;
};
} // namespace

static LogicalResult checkLimit(function_ref<InFlightDiagnostic()> emitError,
                                const Limit &limit) {
  if (limit.value >= limit.least && limit.value <= limit.most &&
      limit.value % limit.multiple == 0)
    return success();
  InFlightDiagnostic error = emitError() << limit.what << " is " << limit.value
                                         << ", must be from " << limit.least
                                         << " to " << limit.most;
  if (limit.multiple > 1)
    error << " and a multiple of " << limit.multiple;
  return error;
}

/// One size per spatial dimension, and all within their limits.
static LogicalResult checkSizes(function_ref<InFlightDiagnostic()> emitError,
                                DenseI64ArrayAttr box, DenseI64ArrayAttr phases,
                                DenseI64ArrayAttr taps) {
  if (box.size() < 1 || box.size() > 3 || taps.size() != box.size() ||
      phases.size() != box.size())
    return emitError() << "box has " << box.size() << ", phases has "
                       << phases.size() << " and taps has " << taps.size()
                       << " sizes, must be one per spatial dimension";
  for (int64_t size : box.asArrayRef())
    if (failed(checkLimit(emitError, {"box size", size, 1, 16384})))
      return mlir::failure();
  for (int64_t count : phases.asArrayRef())
    if (failed(checkLimit(emitError, {"phases", count, 1, 64})))
      return mlir::failure();
  for (int64_t count : taps.asArrayRef())
    if (failed(checkLimit(emitError, {"taps", count, 1, 4096})))
      return mlir::failure();
  return success();
}

/// Channels of a block are those of whole groups, and so are a worker's unless
/// they lie within one.
static LogicalResult checkGroups(function_ref<InFlightDiagnostic()> emitError,
                                 Family family, int64_t groups,
                                 int64_t channels, int64_t held) {
  if (failed(checkLimit(emitError, {"groups", groups, 1, 1024})))
    return mlir::failure();
  if (groups == 1)
    return success();
  if (family != Family::Simt)
    return emitError() << "groups is " << groups << ", must be 1 in "
                       << stringifyFamily(family);
  const int64_t width = channels / groups;
  if (channels % groups != 0 || (width % held != 0 && held % width != 0))
    return emitError() << "groups is " << groups << " for " << channels
                       << " channels of a block and " << held
                       << " of a worker, must divide the first into groups "
                          "that divide the second or are multiples of it";
  return success();
}

LogicalResult
KernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, Family family,
                   Lanes lanes, int64_t batch, DenseI64ArrayAttr box,
                   DenseI64ArrayAttr phases, DenseI64ArrayAttr taps,
                   int64_t chunkChannels, DenseI64ArrayAttr workers,
                   DenseI64ArrayAttr workerTile, int64_t stages, bool,
                   ChoiceSource, int64_t groups, int64_t split) {
  if (workers.size() != 2 || workerTile.size() != 2)
    return emitError() << "workers has " << workers.size()
                       << " and worker_tile has " << workerTile.size()
                       << " sizes, must be positions and channels";
  // 1024 threads per block is CUDA's limit; the others keep a worker's
  // accumulators and the unrolled chunk within its registers and the code
  // small. Fragments of mma.sync are 8 positions or channels, 16 along rows.
  const bool simt = family == Family::Simt;
  const int64_t most = simt ? 16 : 256, fragment = simt ? 1 : 8;
  const int64_t rows = simt ? 1 : 16;
  const bool positionRows = lanes == Lanes::Channels;
  for (const Limit &limit :
       {Limit{"batch", batch, 1, 1024},
        Limit{"chunk_channels", chunkChannels, 1, simt ? 64 : 512, fragment},
        Limit{"workers along positions", workers[0], 1, 1024},
        Limit{"workers along channels", workers[1], 1, 1024},
        Limit{"worker_tile along positions", workerTile[0], 1, most,
              positionRows ? rows : fragment},
        Limit{"worker_tile along channels", workerTile[1], 1, most,
              positionRows ? fragment : rows},
        Limit{"stages", stages, 1, simt ? 2 : 8},
        Limit{"split", split, 1, simt ? 1 : 16}})
    if (failed(checkLimit(emitError, limit)))
      return mlir::failure();
  if (family == Family::WgmmaRA && (!positionRows || workers[0] % 4 != 0))
    return emitError()
           << "wgmma_ra has lanes = " << stringifyLanes(lanes) << " and "
           << workers[0]
           << " workers along positions, must have lanes = channels "
              "and a multiple of 4, the warps of a warpgroup";
  if (chunkChannels % (split * fragment) != 0)
    return emitError() << "chunk_channels is " << chunkChannels
                       << ", must be a multiple of " << split * fragment
                       << " for a split of " << split;
  if (!getStoredParts(lanes, workerTile, split))
    return emitError() << "worker_tile is " << workerTile[0] << " by "
                       << workerTile[1] << ", which " << split
                       << " warps of a split cannot store in equal parts of "
                          "whole fragments";
  const int64_t threads =
      workers[0] * workers[1] * split * (simt ? 1 : kWarpSize);
  if (threads % kWarpSize != 0 || threads > 1024)
    return emitError() << "the block has " << threads
                       << " threads, must be a multiple of 32 up to 1024";
  if (failed(checkSizes(emitError, box, phases, taps)))
    return mlir::failure();
  if (failed(checkGroups(emitError, family, groups, workers[1] * workerTile[1],
                         workerTile[1])))
    return mlir::failure();
  // 16 x 16 is the largest tile of a thread without grouped phases.
  int64_t held = workerTile[0] * workerTile[1];
  for (int64_t count : phases.asArrayRef())
    held *= count;
  if (simt && held > 256)
    return emitError() << "a thread holds " << held
                       << " sums, phases times worker_tile, at most 256 are "
                          "legal";
  std::vector<int64_t> volume{batch};
  llvm::append_range(volume, box.asArrayRef());
  const std::optional<int64_t> inBox = checkedProduct(volume);
  const int64_t positions = workers[0] * workerTile[0];
  if (!inBox || *inBox > positions)
    return emitError() << "the box holds "
                       << (inBox ? std::to_string(*inBox) : "more than 2^63")
                       << " positions, the workers cover " << positions;
  return success();
}
