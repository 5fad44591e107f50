//===- Staging.cpp - Host arrays in the memory of the cpu device ----------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Staging.h"

using namespace ctc;
using namespace ctc::python;

Staging::~Staging() {
  for (const Slot &slot : slots)
    if (slot.isMade)
      ctc_device_free(device, slot.address);
}

uint64_t Staging::buffer(size_t number, uint64_t bytes) {
  if (slots.size() <= number)
    slots.resize(number + 1);
  Slot &slot = slots[number];
  if (slot.isMade && slot.bytes == bytes)
    return slot.address;
  if (slot.isMade)
    ctc_device_free(device, slot.address);
  slot.isMade = false;
  runtime::check(ctc_device_allocate(device, bytes, &slot.address));
  slot.bytes = bytes;
  slot.isMade = true;
  return slot.address;
}

std::unique_ptr<Staging> StagingPool::take() {
  const std::lock_guard<std::mutex> lock(mutex);
  if (idle.empty())
    return std::make_unique<Staging>(device);
  auto staging = std::move(idle.back());
  idle.pop_back();
  return staging;
}

void StagingPool::giveBack(std::unique_ptr<Staging> staging) {
  const std::lock_guard<std::mutex> lock(mutex);
  idle.push_back(std::move(staging));
}
