//===- Device.cpp - Opening a device by its name --------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Device.h"
#include "CpuDevice.h"
#include "CudaDevice.h"

#include <charconv>

using namespace ctc;
using namespace ctc::rt;

static tl::unexpected<Failure> unknownDevice(std::string_view name) {
  return fail(CTC_INVALID_ARGUMENT,
              "unknown device '" + std::string(name) +
                  "', known are cuda, cuda:ORDINAL, cpu and auto");
}

static Result<OpenedDevice>
withoutReason(Result<std::shared_ptr<Device>> device) {
  if (!device)
    return tl::unexpected(device.error());
  return OpenedDevice{std::move(*device), ""};
}

static Result<OpenedDevice> openBest() {
  auto cuda = openCudaDevice(0);
  if (cuda) {
    std::string reason = "took cuda: found " + (*cuda)->info().name;
    return OpenedDevice{std::move(*cuda), std::move(reason)};
  }
  return OpenedDevice{openCpuDevice(), "took cpu: " + cuda.error().message};
}

Result<OpenedDevice> ctc::rt::openDevice(std::string_view name) {
  if (name == "auto")
    return openBest();
  if (name == "cpu")
    return OpenedDevice{openCpuDevice(), ""};
  if (name == "cuda")
    return withoutReason(openCudaDevice(0));
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix))
    return unknownDevice(name);
  const std::string_view digits = name.substr(kPrefix.size());
  int ordinal = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), ordinal);
  if (error != std::errc() || end != digits.data() + digits.size() ||
      ordinal < 0)
    return unknownDevice(name);
  return withoutReason(openCudaDevice(ordinal));
}
