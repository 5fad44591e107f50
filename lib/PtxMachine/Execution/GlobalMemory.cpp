//===- GlobalMemory.cpp - Allocations of the machine ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every allocation is a mapping of its own between inaccessible pages, and is
// committed page by page as it is touched, so a sparse tensor of more than
// 2^31 elements costs only what a launch of a few blocks touches. Behind it lie
// the bits that say which of its bytes are initialised.
//
//===----------------------------------------------------------------------===//

#include "Execution/GlobalMemory.h"

#include "Check/BitRange.h"

#include <mutex>
#include <string>
#include <sys/mman.h>

namespace ctc::ptx {

namespace {
constexpr uint64_t kPage = 1 << 16; ///< A multiple of any host's page.
constexpr uint64_t kLargest = uint64_t(1) << 46;
} // namespace

GlobalMemory::GlobalMemory() : impl(std::make_unique<Impl>()) {}

GlobalMemory::~GlobalMemory() {
  for (const auto &[address, allocation] : impl->allocations)
    munmap(reinterpret_cast<void *>(address - kPage), allocation.mappedBytes);
}

Expected<uint64_t> GlobalMemory::allocate(uint64_t bytes) {
  if (bytes > kLargest)
    return makeError(ErrorCode::DeviceError,
                     "an allocation of " + std::to_string(bytes) +
                         " bytes is over the limit of 2^46 bytes");
  auto wholePages = [](uint64_t size) {
    return (size + kPage - 1) / kPage * kPage;
  };
  const uint64_t body = wholePages(bytes), bits = wholePages(body / 8);
  const uint64_t mapped = body + bits + 3 * kPage;
  void *place = mmap(nullptr, mapped, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (place == MAP_FAILED)
    return makeError(ErrorCode::DeviceError,
                     "the host has no address space for an allocation of " +
                         std::to_string(bytes) + " bytes");
  uint64_t address = reinterpret_cast<uint64_t>(place) + kPage;
  const uint64_t bitsAddress = address + body + kPage;
  auto makeWritable = [](uint64_t start, uint64_t size) {
    return size == 0 || mprotect(reinterpret_cast<void *>(start), size,
                                 PROT_READ | PROT_WRITE) == 0;
  };
  if (!makeWritable(address, body) || !makeWritable(bitsAddress, bits)) {
    munmap(place, mapped);
    return makeError(ErrorCode::DeviceError,
                     "the host refuses an allocation of " +
                         std::to_string(bytes) + " bytes");
  }
  std::unique_lock lock(impl->mutex);
  impl->allocations[address] = {
      bytes, mapped, reinterpret_cast<uint64_t *>(bitsAddress), false};
  return address;
}

Expected<void> GlobalMemory::free(uint64_t address) {
  std::unique_lock lock(impl->mutex);
  auto found = impl->allocations.find(address);
  if (found == impl->allocations.end())
    return makeError(ErrorCode::DeviceError,
                     "address " + hexadecimal(address) +
                         " is not the start of an allocation of this memory");
  munmap(reinterpret_cast<void *>(address - kPage), found->second.mappedBytes);
  impl->allocations.erase(found);
  return {};
}

bool GlobalMemory::contains(uint64_t address, uint64_t bytes) const {
  RangeCache range;
  return impl->find(address, bytes, range);
}

Expected<void> GlobalMemory::setInitialized(uint64_t address, uint64_t bytes,
                                            bool initialized) {
  RangeCache range;
  if (!impl->find(address, bytes, range))
    return makeError(ErrorCode::DeviceError,
                     std::to_string(bytes) + " bytes at " +
                         hexadecimal(address) +
                         " do not lie in one allocation of this memory");
  std::shared_lock lock(impl->mutex);
  uint64_t *bits = impl->allocations.at(range.begin).initialized;
  check::setBits(bits, address - range.begin, bytes, initialized);
  return {};
}

bool GlobalMemory::Impl::findInitialized(const GlobalMemory &memory,
                                         uint64_t address,
                                         InitializedRange &range) {
  RangeCache place;
  if (!memory.impl->find(address, 1, place))
    return false;
  std::shared_lock lock(memory.impl->mutex);
  const Allocation &found = memory.impl->allocations.at(place.begin);
  range = {place.begin, place.end, found.assumed ? nullptr : found.initialized};
  return true;
}

void GlobalMemory::Impl::assumeInitialized(const GlobalMemory &memory) {
  std::unique_lock lock(memory.impl->mutex);
  for (auto &[address, allocation] : memory.impl->allocations)
    allocation.assumed = true;
}

bool GlobalMemory::Impl::find(uint64_t address, uint64_t bytes,
                              RangeCache &range) const {
  std::shared_lock lock(mutex);
  auto above = allocations.upper_bound(address);
  if (above == allocations.begin())
    return false;
  auto [begin, allocation] = *std::prev(above);
  uint64_t distance = address - begin;
  if (distance > allocation.bytes || bytes > allocation.bytes - distance)
    return false;
  range = {begin, begin + allocation.bytes};
  return true;
}

bool GlobalMemory::Impl::find(const GlobalMemory &memory, uint64_t address,
                              uint64_t bytes, RangeCache &range) {
  return memory.impl->find(address, bytes, range);
}

std::string hexadecimal(uint64_t value) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), digits[value & 15]);
  while (value >>= 4);
  return "0x" + text;
}

bool findGlobal(const BlockState &block, uint64_t address, uint64_t bytes,
                bool forWriting, RangeCache &cache) {
  if (GlobalMemory::Impl::find(*block.memory, address, bytes, cache))
    return true;
  // A generic address of a kernel parameter (cvta.param) is readable.
  auto parameters = reinterpret_cast<uint64_t>(block.parameters);
  if (forWriting || address < parameters ||
      address + bytes > parameters + block.parameterBytes)
    return false;
  cache = {parameters, parameters + block.parameterBytes};
  return true;
}

const GenericWindows &genericWindows() {
  static const GenericWindows windows = [] {
    GenericWindows result;
    void *place = mmap(
        nullptr, GenericWindows::kSharedBytes + GenericWindows::kLocalBytes,
        PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    // Without a reservation the windows lie where user space never is.
    result.shared = place == MAP_FAILED ? uint64_t(0xffff) << 48
                                        : reinterpret_cast<uint64_t>(place);
    result.local = result.shared + GenericWindows::kSharedBytes;
    return result;
  }();
  return windows;
}

} // namespace ctc::ptx
