//===- TensorTransfer.cpp - Tensor copies of one thread -------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Transfers/TensorTransfer.h"

#include "Execution/GlobalMemory.h"

#include <algorithm>
#include <cstring>

namespace ctc::ptx {

static constexpr unsigned kBoxAlignment = 128; ///< Of shared memory.
static constexpr unsigned kMapAlignment = 64;
static constexpr uint32_t kChunk = 16;
/// What the driver calls NaN, in every type: the ISA's OOB-NaN.
static constexpr uint16_t kOutsideNan = 0x7ff7;

//===----------------------------------------------------------------------===//
// The tensor map
//===----------------------------------------------------------------------===//

/// Reads the map and checks that the instruction may use it so.
static std::optional<TensorMapFields> readMap(AsyncTransfer &transfer,
                                              const TensorOperand &tensor) {
  const BlockState &block = *transfer.warp.block;
  // A parameter's alignment is that of its place among the parameters.
  const auto parameters = reinterpret_cast<uint64_t>(block.parameters);
  const uint64_t aligned = tensor.map - parameters < block.parameterBytes
                               ? tensor.map - parameters
                               : tensor.map;
  if (!transfer.isAligned("tensor map", aligned, kMapAlignment) ||
      !transfer.findGlobal("tensor map", tensor.map, sizeof(TensorMap), false))
    return std::nullopt;
  auto map = decodeTensorMap(reinterpret_cast<const void *>(tensor.map));
  if (!map) {
    transfer.fault("tensor map " + hexadecimal(tensor.map) + ": " +
                   map.error().message);
    return std::nullopt;
  }
  if (map->rank != tensor.rank || map->mode != tensor.mode) {
    auto name = [](TensorMode mode) {
      return mode == TensorMode::Tiled ? "tiled" : "im2col";
    };
    transfer.fault("the tensor map is " + std::string(name(map->mode)) +
                   " of rank " + std::to_string(map->rank) +
                   "; the instruction needs " + name(tensor.mode) +
                   " of rank " + std::to_string(tensor.rank));
    return std::nullopt;
  }
  std::string problem = BoxWalk::problem(*map, tensor.place);
  if (!problem.empty()) {
    transfer.fault(std::move(problem));
    return std::nullopt;
  }
  return *map;
}

/// Bytes of shared memory that a box takes.
static uint64_t sharedBytes(const TensorMapFields &map) {
  return BoxWalk::rows(map) * BoxWalk::rowPitch(map);
}

/// Calls move(offset in the run, shared offset, bytes) for the parts of a run
/// that stay together in shared memory, where the box begins at `start`.
template <class Move>
static void forEachPiece(const TensorMapFields &map, const BoxRun &run,
                         uint64_t start, const Move &move) {
  const Swizzle swizzle = map.sharedSwizzle();
  if (swizzle == Swizzle::None) {
    move(0, start + run.shared, run.bytes);
    return;
  }
  for (uint32_t done = 0; done < run.bytes;) {
    const uint64_t at = start + run.shared + done;
    const uint32_t bytes =
        std::min(run.bytes - done, kChunk - static_cast<uint32_t>(at % kChunk));
    move(done, swizzleAddress(at, swizzle), bytes);
    done += bytes;
  }
}

/// A run's bytes of shared memory for an observer: whole lines stay lines.
static void announceShared(AsyncTransfer &transfer, const TensorMapFields &map,
                           const BoxRun &run, const SharedPlace &place,
                           bool isWrite) {
  auto tell = [&](uint64_t offset, uint64_t bytes) {
    const auto host = reinterpret_cast<uint64_t>(place.block->shared) + offset;
    isWrite ? transfer.writes(host, bytes) : transfer.reads(host, bytes);
  };
  if (run.bytes == BoxWalk::rowPitch(map)) {
    tell(place.offset + run.shared, run.bytes);
    return;
  }
  forEachPiece(map, run, place.offset,
               [&](uint32_t, uint64_t at, uint32_t bytes) { tell(at, bytes); });
}

//===----------------------------------------------------------------------===//
// Loads
//===----------------------------------------------------------------------===//

/// To nearest even, in 10 bits of the fraction.
static uint32_t roundToTF32(uint32_t bits) {
  constexpr uint32_t low = 0x1fff;
  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return 0x7fffffffu & ~low;
  return (bits + low / 2 + (bits >> 13 & 1)) & ~low;
}

static void loadBytes(TensorType type, char *to, const char *from,
                      uint32_t bytes) {
  if (type != TensorType::TF32 && type != TensorType::TF32Ftz) {
    std::memcpy(to, from, bytes);
    return;
  }
  for (uint32_t at = 0; at < bytes; at += sizeof(uint32_t)) {
    uint32_t element;
    std::memcpy(&element, from + at, sizeof(element));
    element = roundToTF32(element);
    std::memcpy(to + at, &element, sizeof(element));
  }
}

static void fillBytes(TensorFill fill, char *to, uint32_t bytes) {
  if (fill == TensorFill::Zeros) {
    std::memset(to, 0, bytes);
    return;
  }
  for (uint32_t at = 0; at < bytes; at += sizeof(kOutsideNan))
    std::memcpy(to + at, &kOutsideNan, sizeof(kOutsideNan));
}

static void announceLoad(AsyncTransfer &transfer, const TensorMapFields &map,
                         const BoxPlace &place, const Arrivals &arrivals) {
  BoxRun run;
  for (BoxWalk walk(map, place); walk.next(run);)
    if (run.inside)
      transfer.reads(run.global, run.bytes);
  for (const SharedPlace &to : arrivals.places)
    for (BoxWalk walk(map, place); walk.next(run);)
      announceShared(transfer, map, run, to, /*isWrite=*/true);
  transfer.announce(arrivals);
}

bool tensorToShared(AsyncTransfer &transfer, const TensorOperand &tensor,
                    const SharedTarget &target) {
  auto map = readMap(transfer, tensor);
  Arrivals arrivals;
  if (!map || !transfer.findArrivals(target, sharedBytes(*map), kBoxAlignment,
                                     arrivals))
    return false;
  BoxRun run;
  if (transfer.isObserved())
    announceLoad(transfer, *map, tensor.place, arrivals);
  for (BoxWalk walk(*map, tensor.place); walk.next(run);) {
    if (run.inside &&
        !transfer.findGlobal("row of the tensor", run.global, run.bytes, false))
      return false;
    const auto *from = reinterpret_cast<const char *>(run.global);
    for (const SharedPlace &to : arrivals.places)
      forEachPiece(
          *map, run, to.offset, [&](uint32_t in, uint64_t at, uint32_t bytes) {
            if (run.inside)
              loadBytes(map->type, to.block->shared + at, from + in, bytes);
            else
              fillBytes(map->fill, to.block->shared + at, bytes);
          });
  }
  return transfer.complete(arrivals,
                           static_cast<uint32_t>(BoxWalk::rows(*map)) *
                               BoxWalk::rowBytes(*map));
}

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// PTX ISA, "Restriction on Tensor Copy instructions", .global.shared::cta.
static bool checkStore(AsyncTransfer &transfer, const TensorMapFields &map,
                       const BoxPlace &place) {
  for (unsigned i = 0; i < map.rank; ++i)
    if (place.coordinates[i] < 0)
      return transfer.fault("coordinate " +
                            std::to_string(place.coordinates[i]) +
                            " of dimension " + std::to_string(i) +
                            " of a store; it must not be negative");
  for (unsigned i = 0; map.mode == TensorMode::Im2col && i + 2 < map.rank; ++i)
    if (map.lower[i] < 0 || map.upper[i] > 0)
      return transfer.fault("the pixel box of a store has the corners " +
                            std::to_string(map.lower[i]) + " and " +
                            std::to_string(map.upper[i]) +
                            "; it must stay within the tensor");
  return true;
}

/// The run in whole chunks of 16 bytes, as far as the box goes: a store writes
/// these even where the tensor ends within one (rows of the tensor begin at
/// multiples of 16 bytes, so that is at most the padding between them).
static BoxRun inWholeChunks(const TensorMapFields &map, BoxRun run) {
  const uint32_t pitch = BoxWalk::rowPitch(map);
  const uint32_t room = BoxWalk::rowBytes(map) - run.shared % pitch;
  run.bytes = std::min((run.bytes + kChunk - 1) / kChunk * kChunk, room);
  return run;
}

static void announceStore(AsyncTransfer &transfer, const TensorMapFields &map,
                          const BoxPlace &box, const SharedPlace &from,
                          bool isAtomic) {
  BoxRun run;
  for (BoxWalk walk(map, box); walk.next(run);)
    if (run.inside)
      announceShared(transfer, map, inWholeChunks(map, run), from,
                     /*isWrite=*/false);
  for (BoxWalk walk(map, box); walk.next(run);)
    if (run.inside)
      transfer.writes(run.global, inWholeChunks(map, run).bytes, isAtomic);
  transfer.announceToGroup();
}

bool tensorToGlobal(AsyncTransfer &transfer, const TensorOperand &tensor,
                    uint64_t source, std::optional<ReduceOp> reduction) {
  auto map = readMap(transfer, tensor);
  SharedPlace place;
  if (!map || !checkStore(transfer, *map, tensor.place) ||
      !transfer.findShared("source", source, sharedBytes(*map), kBoxAlignment,
                           /*ownBlock=*/true, place))
    return false;
  Reducer reducer = reduction ? findReducer(*reduction, map->type) : nullptr;
  if (reduction && !reducer)
    return transfer.fault("tensors of data type " +
                          std::to_string(static_cast<unsigned>(map->type)) +
                          " have no such reduction");
  if (transfer.isObserved())
    announceStore(transfer, *map, tensor.place, place, reducer != nullptr);
  BoxRun run;
  for (BoxWalk walk(*map, tensor.place); walk.next(run);) {
    if (!run.inside)
      continue;
    run = inWholeChunks(*map, run);
    if (!transfer.findGlobal("row of the tensor", run.global, run.bytes, true))
      return false;
    auto *to = reinterpret_cast<char *>(run.global);
    forEachPiece(*map, run, place.offset,
                 [&](uint32_t in, uint64_t at, uint32_t bytes) {
                   const char *from = place.block->shared + at;
                   if (reducer)
                     reducer(to + in, from, bytes);
                   else
                     std::memcpy(to + in, from, bytes);
                 });
  }
  return true;
}

bool tensorPrefetch(AsyncTransfer &transfer, const TensorOperand &tensor) {
  return readMap(transfer, tensor).has_value();
}

} // namespace ctc::ptx
