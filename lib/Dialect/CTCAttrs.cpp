//===- CTCAttrs.cpp - Attributes of the ctc dialect -----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Chips/Chips.h"
#include "ctc/Dialect/CTC.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace ctc::ir;
using llvm::function_ref;
using llvm::LogicalResult;
using llvm::success;
using mlir::DenseI64ArrayAttr;
using mlir::InFlightDiagnostic;

#define GET_ATTRDEF_CLASSES
#include "ctc/Dialect/CTCAttrs.cpp.inc"

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

int64_t KernelAttr::getBoxVolume() const {
  int64_t volume = getBatch();
  for (int64_t size : getBox().asArrayRef())
    volume *= size;
  return volume;
}

KernelAttr KernelAttr::withSource(ChoiceSource source) const {
  return get(getContext(), getFamily(), getLanes(), getBatch(), getBox(),
             getTaps(), getChunkChannels(), getThreadsPositions(),
             getThreadsChannels(), getThreadPositions(), getThreadChannels(),
             getStages(), source);
}

LogicalResult
KernelAttr::verify(function_ref<InFlightDiagnostic()> emitError, Family, Lanes,
                   int64_t batch, DenseI64ArrayAttr box, DenseI64ArrayAttr taps,
                   int64_t chunkChannels, int64_t threadsPositions,
                   int64_t threadsChannels, int64_t threadPositions,
                   int64_t threadChannels, int64_t stages, ChoiceSource) {
  struct Limit {
    const char *what;
    int64_t value, least, most;
  };
  // 1024 threads per block is CUDA's limit; the others keep a thread's
  // accumulators and the unrolled chunk within its registers and the code
  // small.
  for (const Limit &limit :
       {Limit{"batch", batch, 1, 1024},
        Limit{"chunk_channels", chunkChannels, 1, 64},
        Limit{"threads_positions", threadsPositions, 1, 1024},
        Limit{"threads_channels", threadsChannels, 1, 1024},
        Limit{"thread_positions", threadPositions, 1, 16},
        Limit{"thread_channels", threadChannels, 1, 16},
        Limit{"stages", stages, 1, 2}})
    if (limit.value < limit.least || limit.value > limit.most)
      return emitError() << limit.what << " is " << limit.value
                         << ", must be from " << limit.least << " to "
                         << limit.most;
  const int64_t threads = threadsPositions * threadsChannels;
  if (threads % 32 != 0 || threads > 1024)
    return emitError() << "the block has " << threads
                       << " threads, must be a multiple of 32 up to 1024";
  if (box.size() < 1 || box.size() > 3 || taps.size() != box.size())
    return emitError() << "box has " << box.size() << " and taps has "
                       << taps.size()
                       << " sizes, must be one per spatial dimension";
  int64_t volume = batch;
  for (int64_t size : box.asArrayRef()) {
    if (size < 1 || size > 16384)
      return emitError() << "box size is " << size
                         << ", must be from 1 to 16384";
    volume *= size;
  }
  const int64_t positions = threadsPositions * threadPositions;
  if (volume > positions)
    return emitError() << "the box holds " << volume
                       << " positions, the threads cover " << positions;
  for (int64_t count : taps.asArrayRef())
    if (count < 1 || count > 4096)
      return emitError() << "taps is " << count << ", must be from 1 to 4096";
  return success();
}
