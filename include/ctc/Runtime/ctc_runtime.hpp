//===- ctc_runtime.hpp - The C API with C++ ownership -----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Header only, C++14. Handles that release themselves and failures as
// exceptions; everything is as ctc_runtime.h says. get() gives the C handle for
// what has no member here.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_RUNTIME_CTC_RUNTIME_HPP
#define CTC_RUNTIME_CTC_RUNTIME_HPP

#include "ctc/Runtime/ctc_runtime.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace ctc {
namespace runtime {

/// A call of the C API that failed; what() is its message.
class Error : public std::runtime_error {
public:
  explicit Error(ctc_status status)
      : std::runtime_error(ctc_last_error()), code(status) {}
  ctc_status status() const { return code; }

private:
  ctc_status code;
};

inline void check(ctc_status status) {
  if (status != CTC_OK)
    throw Error(status);
}

/// Owns a C handle.
template <typename Handle, void (*release)(Handle *)> class Owner {
public:
  explicit Owner(Handle *handle = nullptr) : handle(handle) {}
  Handle *get() const { return handle.get(); }

private:
  struct Release {
    void operator()(Handle *handle) const { release(handle); }
  };
  std::unique_ptr<Handle, Release> handle;
};

class Bundle : public Owner<ctc_bundle, ctc_bundle_close> {
public:
  using Owner::Owner;
  static Bundle fromFile(const std::string &path) {
    ctc_bundle *bundle = nullptr;
    check(ctc_bundle_open_file(path.c_str(), &bundle));
    return Bundle(bundle);
  }
  static Bundle fromMemory(const void *data, size_t size) {
    ctc_bundle *bundle = nullptr;
    check(ctc_bundle_open_memory(data, size, &bundle));
    return Bundle(bundle);
  }

  ctc_bundle_info info() const {
    ctc_bundle_info info;
    check(ctc_bundle_get_info(get(), &info));
    return info;
  }
  ctc_image_info image(size_t image) const {
    ctc_image_info info;
    check(ctc_bundle_get_image(get(), image, &info));
    return info;
  }
  size_t findEntry(const std::string &name) const {
    size_t entry = 0;
    check(ctc_bundle_find_entry(get(), name.c_str(), &entry));
    return entry;
  }
  ctc_entry_info entry(size_t image, size_t entry) const {
    ctc_entry_info info;
    check(ctc_bundle_get_entry(get(), image, entry, &info));
    return info;
  }
  ctc_argument_info argument(size_t image, size_t entry,
                             size_t argument) const {
    ctc_argument_info info;
    check(ctc_bundle_get_argument(get(), image, entry, argument, &info));
    return info;
  }
  uint64_t argumentBytes(size_t image, size_t entry, size_t argument,
                         int64_t batch) const {
    uint64_t bytes = 0;
    check(ctc_bundle_argument_bytes(get(), image, entry, argument, batch,
                                    &bytes));
    return bytes;
  }
};

class Device : public Owner<ctc_device, ctc_device_close> {
public:
  using Owner::Owner;
  static Device open(const std::string &name) {
    ctc_device *device = nullptr;
    check(ctc_device_open(name.c_str(), &device));
    return Device(device);
  }

  ctc_device_info info() const {
    ctc_device_info info;
    check(ctc_device_get_info(get(), &info));
    return info;
  }
  void copyIn(uint64_t destination, const void *source, uint64_t bytes,
              void *stream = nullptr) const {
    check(ctc_device_copy_in(get(), destination, source, bytes, stream));
  }
  void copyOut(void *destination, uint64_t source, uint64_t bytes,
               void *stream = nullptr) const {
    check(ctc_device_copy_out(get(), destination, source, bytes, stream));
  }
  void fill(uint64_t destination, uint8_t value, uint64_t bytes,
            void *stream = nullptr) const {
    check(ctc_device_fill(get(), destination, value, bytes, stream));
  }
  void synchronize(void *stream = nullptr) const {
    check(ctc_device_synchronize(get(), stream));
  }
};

/// Memory of a device, which must outlive it.
class Buffer {
public:
  Buffer() = default;
  Buffer(const Device &device, uint64_t bytes) : device(device.get()) {
    check(ctc_device_allocate(this->device, bytes, &where));
  }
  ~Buffer() { release(); }
  Buffer(Buffer &&other) noexcept : device(other.device), where(other.where) {
    other.device = nullptr;
  }
  Buffer &operator=(Buffer &&other) noexcept {
    if (this != &other) {
      release();
      device = other.device;
      where = other.where;
      other.device = nullptr;
    }
    return *this;
  }

  uint64_t address() const { return where; }

private:
  void release() {
    if (device)
      ctc_device_free(device, where);
  }

  ctc_device *device = nullptr;
  uint64_t where = 0;
};

class Module : public Owner<ctc_module, ctc_module_unload> {
public:
  using Owner::Owner;
  /// An empty `chip` leaves the choice of the image to the library.
  static Module load(const Bundle &bundle, const Device &device,
                     const std::string &chip = "") {
    ctc_module *module = nullptr;
    check(ctc_module_load(bundle.get(), device.get(),
                          chip.empty() ? nullptr : chip.c_str(), &module));
    return Module(module);
  }

  ctc_module_info info() const {
    ctc_module_info info;
    check(ctc_module_get_info(get(), &info));
    return info;
  }
};

class Layer : public Owner<ctc_layer, ctc_layer_destroy> {
public:
  using Owner::Owner;
  /// An empty `entry` takes the only one.
  static Layer create(const Module &module, const std::string &entry = "") {
    ctc_layer *layer = nullptr;
    check(ctc_layer_create(module.get(),
                           entry.empty() ? nullptr : entry.c_str(), &layer));
    return Layer(layer);
  }

  uint64_t packedBytes() const {
    uint64_t bytes = 0;
    check(ctc_layer_packed_bytes(get(), &bytes));
    return bytes;
  }
  void prepare(uint64_t weight, uint64_t packed = 0, void *stream = nullptr) {
    check(ctc_layer_prepare(get(), weight, packed, stream));
  }
  void launch(int64_t batch, const std::vector<uint64_t> &addresses,
              void *stream = nullptr) const {
    check(ctc_layer_launch(get(), batch, addresses.data(), addresses.size(),
                           stream));
  }
};

} // namespace runtime
} // namespace ctc

#endif // CTC_RUNTIME_CTC_RUNTIME_HPP
