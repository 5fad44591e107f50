//===- Counter.cpp - Counts what a launch does ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Counters/Counter.h"

#include "Execution/GlobalMemory.h"

#include <algorithm>
#include <bit>

namespace ctc::ptx {

std::vector<InstructionTraits> traitsOf(const Program &program) {
  std::vector<InstructionTraits> traits;
  for (const SourceInstruction &source : program.sources)
    traits.push_back(instructionTraits(source.text));
  return traits;
}

Counter::Counter(const Program &program, const GlobalMemory &memory,
                 const std::vector<InstructionTraits> &traits)
    : program(program), memory(memory), traits(traits),
      blocks(program.blocks.size()), traffic(program.sources.size()) {}

void Counter::beginCluster(const ClusterState &state) {
  cluster = &state;
  firstLevel.resize(state.size);
  for (SectorSet &sectors : firstLevel)
    sectors.clear();
}

void Counter::block(Warp &, uint32_t index, LaneMask mask) {
  lastOperation = nullptr;
  ++blocks[index].warps;
  blocks[index].threads += static_cast<unsigned>(std::popcount(mask));
}

//===----------------------------------------------------------------------===//
// Requests
//===----------------------------------------------------------------------===//

static bool isInShared(const ClusterState &cluster, uint64_t host) {
  for (unsigned rank = 0; rank < cluster.size; ++rank) {
    const BlockState &block = *cluster.blocks[rank];
    if (host - reinterpret_cast<uint64_t>(block.shared) < block.sharedBytes)
      return true;
  }
  return false;
}

static bool isInLocal(const Warp &warp, uint64_t host) {
  return host - reinterpret_cast<uint64_t>(warp.local) <
         warp.localBytes * kWarpSize;
}

static SharedAccess sharedAccess(AccessKind kind) {
  switch (kind) {
  case AccessKind::Load:
  case AccessKind::CopySource:
    return SharedAccess::Load;
  case AccessKind::Atomic:
    return SharedAccess::Atomic;
  case AccessKind::CopyTarget:
    return SharedAccess::Copy;
  default:
    return SharedAccess::Store;
  }
}

void Counter::access(Warp &warp, const Op &op, const LaneAccess &access) {
  if (traits[op.source].kind == InstructionClass::ConstantLoad)
    return; // Through a cache of its own.
  LaneMask shared = 0, local = 0;
  const auto &lanes = access.host->lane;
  switch (access.space) {
  case Space::Param:
  case Space::Const:
    return;
  case Space::Shared:
    shared = access.mask;
    break;
  case Space::Local:
    local = access.mask;
    break;
  case Space::Global:
    break;
  case Space::Generic:
    for (LaneMask left = access.mask; left; left &= left - 1) {
      const auto lane = static_cast<unsigned>(std::countr_zero(left));
      const LaneMask bit = LaneMask(1) << lane;
      shared |= isInShared(*cluster, lanes[lane]) ? bit : 0;
      local |= isInLocal(warp, lanes[lane]) ? bit : 0;
    }
    break;
  }
  if (shared)
    sharedRequest(op, {lanes, shared, access.bytes}, sharedAccess(access.kind));
  if (local)
    localRequest(warp, op, {lanes, local, access.bytes});
  const LaneMask global = access.mask & ~(shared | local);
  if (!global)
    return;
  Direction direction = Direction::Store;
  if (access.kind == AccessKind::Atomic)
    direction = Direction::Both;
  else if (sharedAccess(access.kind) == SharedAccess::Load)
    direction =
        traits[op.source].isCached ? Direction::CachedLoad : Direction::Load;
  globalRequest(warp, op, {lanes, global, access.bytes}, direction);
}

static uint64_t lanesOf(const Request &request) {
  return static_cast<unsigned>(std::popcount(request.mask));
}

static void add(GlobalTraffic &traffic, const Request &request,
                const Sectors &sectors) {
  traffic.bytes += lanesOf(request) * request.bytes;
  traffic.sectors += sectors.count;
  traffic.leastSectors += sectors.least;
}

void Counter::globalRequest(Warp &warp, const Op &op, const Request &request,
                            Direction direction) {
  Traffic &sum = traffic[op.source];
  int64_t shift = 0;
  const Sectors &sectors = sum.sectors.of(request, shift, sectorsOf);
  ++sum.global.requests;
  add(sum.global, request, sectors);
  // Down as well as up.
  const auto step = static_cast<uint64_t>(shift / int64_t(kSectorBytes));
  for (unsigned i = 0; i < sectors.count; ++i)
    touch(warp, sectors.sector[i] + step, direction);
}

/// CUDA C++ Programming Guide, "Local Memory": consecutive 32-bit words are
/// accessed by consecutive threads.
void Counter::localRequest(Warp &warp, const Op &op, const Request &request) {
  constexpr unsigned kWord = 4;
  const auto begin = reinterpret_cast<uint64_t>(warp.local);
  GlobalTraffic &local = traffic[op.source].local;
  ++local.requests;
  uint64_t place[kWarpSize] = {};
  for (unsigned at = 0; at < request.bytes; at += kWord) {
    for (unsigned lane = 0; lane < kWarpSize; ++lane) {
      const uint64_t offset =
          request.address[lane] - begin - lane * warp.localBytes + at;
      place[lane] =
          offset / kWord * kWord * kWarpSize + lane * kWord + offset % kWord;
    }
    const Request words{place, request.mask, std::min(request.bytes, kWord)};
    add(local, words, sectorsOf(words));
  }
}

void Counter::sharedRequest(const Op &op, const Request &request,
                            SharedAccess access) {
  int64_t shift = 0;
  const Wavefronts wavefronts = traffic[op.source].wavefronts.of(
      request, shift,
      [access](const Request &shape) { return wavefrontsOf(shape, access); });
  SharedTraffic &shared = traffic[op.source].shared;
  ++shared.requests;
  shared.bytes += lanesOf(request) * request.bytes;
  shared.wavefronts += wavefronts.count;
  shared.leastWavefronts += wavefronts.least;
}

//===----------------------------------------------------------------------===//
// Sectors of allocations
//===----------------------------------------------------------------------===//

/// The allocation of an address; null for a parameter read through a generic
/// address.
Counter::Buffer *Counter::bufferOf(uint64_t address) {
  auto holds = [address](const Buffer &buffer) {
    return address >= buffer.begin && address < buffer.end;
  };
  if (lastBuffer && holds(*lastBuffer))
    return lastBuffer;
  for (const auto &buffer : buffers)
    if (holds(*buffer))
      return lastBuffer = buffer.get();
  RangeCache range;
  if (!GlobalMemory::Impl::find(memory, address, 1, range))
    return nullptr;
  buffers.push_back(std::make_unique<Buffer>(range.begin, range.end));
  return lastBuffer = buffers.back().get();
}

void Counter::touch(Warp &warp, uint64_t sector, Direction direction) {
  Buffer *buffer = bufferOf(sector * kSectorBytes);
  if (!buffer)
    return;
  const uint64_t index = sector - buffer->begin / kSectorBytes;
  if (direction != Direction::Store) {
    ++buffer->loads;
    buffer->loaded.insert(index);
    if (direction != Direction::CachedLoad ||
        firstLevel[warp.block->rank].insert(sector))
      ++buffer->blockLoads;
  }
  if (direction == Direction::Store || direction == Direction::Both) {
    ++buffer->stores;
    buffer->stored.insert(index);
  }
}

/// Bulk and tensor copies go past the first level, and through shared memory
/// without conflicts. The operands of wgmma are counted by its text.
void Counter::asynchronous(Warp &warp, const Op &op,
                           const AsyncOperation &operation) {
  if (operation.completion == Completion::WgmmaGroup)
    return;
  const bool again =
      lastOperation == &op && lastWarp == &warp && lastLanes == operation.mask;
  lastOperation = &op;
  lastWarp = &warp;
  lastLanes = operation.mask;
  Traffic &sum = traffic[op.source];
  bool touchesGlobal = false, touchesShared = false;
  for (const AsyncRange &range : operation.ranges) {
    if (!range.bytes || (again && !range.isWrite))
      continue;
    if (isInShared(*cluster, range.host)) {
      touchesShared = true;
      const uint64_t lines =
          (range.bytes + kWavefrontBytes - 1) / kWavefrontBytes;
      sum.shared.bytes += range.bytes;
      sum.shared.wavefronts += lines;
      sum.shared.leastWavefronts += lines;
      continue;
    }
    touchesGlobal = true;
    const uint64_t first = range.host / kSectorBytes;
    const uint64_t last = (range.host + range.bytes - 1) / kSectorBytes;
    const Direction direction = range.isAtomic  ? Direction::Both
                                : range.isWrite ? Direction::Store
                                                : Direction::Load;
    for (uint64_t sector = first; sector <= last; ++sector)
      touch(warp, sector, direction);
    sum.global.bytes += range.bytes;
    sum.global.sectors += last - first + 1;
    sum.global.leastSectors += (range.bytes + kSectorBytes - 1) / kSectorBytes;
  }
  sum.global.requests += touchesGlobal;
  sum.shared.requests += touchesShared && !again;
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

static void add(GlobalTraffic &sum, const GlobalTraffic &other) {
  sum.requests += other.requests;
  sum.bytes += other.bytes;
  sum.sectors += other.sectors;
  sum.leastSectors += other.leastSectors;
}

static void add(SharedTraffic &sum, const SharedTraffic &other) {
  sum.requests += other.requests;
  sum.bytes += other.bytes;
  sum.wavefronts += other.wavefronts;
  sum.leastWavefronts += other.leastWavefronts;
}

void Counter::merge(const Counter &other) {
  for (size_t i = 0; i < blocks.size(); ++i) {
    blocks[i].warps += other.blocks[i].warps;
    blocks[i].threads += other.blocks[i].threads;
  }
  for (size_t i = 0; i < traffic.size(); ++i) {
    add(traffic[i].global, other.traffic[i].global);
    add(traffic[i].local, other.traffic[i].local);
    add(traffic[i].shared, other.traffic[i].shared);
  }
  for (const auto &from : other.buffers) {
    Buffer &to = *bufferOf(from->begin);
    to.loads += from->loads;
    to.blockLoads += from->blockLoads;
    to.stores += from->stores;
    to.loaded.merge(from->loaded);
    to.stored.merge(from->stored);
  }
}

void Counter::report(LaunchCounters &result) const {
  result.instructions.clear();
  // Blocks hold their instructions in the order of the text, and every
  // instruction belongs to one block (ProgramBuilder::lowerStatement).
  size_t index = 0;
  for (size_t block = 0; block < program.blocks.size(); ++block)
    for (uint32_t i = 0; i < program.blocks[block].instructions; ++i, ++index) {
      const InstructionTraits &own = traits[index];
      InstructionCounters counters;
      counters.line = program.sources[index].line;
      counters.text = program.sources[index].text;
      counters.kind = own.kind;
      counters.unit = own.unit;
      counters.pipes = own.pipes;
      counters.warps = blocks[block].warps;
      counters.threads = blocks[block].threads;
      counters.multiplyAdds = counters.threads * own.threadMultiplyAdds +
                              counters.warps * own.warpMultiplyAdds;
      counters.global = traffic[index].global;
      counters.local = traffic[index].local;
      counters.shared = traffic[index].shared;
      const uint64_t wgmmaBytes = counters.warps * own.wgmmaBytes;
      add(counters.shared, {0, wgmmaBytes, wgmmaBytes / kWavefrontBytes,
                            wgmmaBytes / kWavefrontBytes});
      result.instructions.push_back(std::move(counters));
    }
  result.buffers.clear();
  for (const auto &buffer : buffers)
    result.buffers.push_back({buffer->begin, buffer->end - buffer->begin,
                              buffer->loads, buffer->blockLoads, buffer->stores,
                              buffer->loaded.count(), buffer->stored.count()});
  std::sort(result.buffers.begin(), result.buffers.end(),
            [](const BufferCounters &a, const BufferCounters &b) {
              return a.address < b.address;
            });
}

} // namespace ctc::ptx
