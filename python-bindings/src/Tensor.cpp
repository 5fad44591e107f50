//===- Tensor.cpp - Arrays of any framework -------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"
#include "Errors.h"

#include <algorithm>
#include <charconv>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <typeinfo>
#include <unordered_map>

namespace nb = nanobind;
using namespace ctc;
using namespace ctc::python;

std::string python::nameOf(dlpack::DataType type) {
  const std::string bits = std::to_string(type.bits);
  switch (type.code) {
  case dlpack::kFloat:
    return "float" + bits;
  case dlpack::kBfloat:
    return "bfloat" + bits;
  case dlpack::kInt:
    return "int" + bits;
  case dlpack::kUInt:
    return "uint" + bits;
  case dlpack::kComplex:
    return "complex" + bits;
  case dlpack::kBool:
    return "bool";
  default:
    return "DLPack type " + std::to_string(type.code) + " of " + bits + " bits";
  }
}

std::string python::nameOf(dlpack::Device device) {
  switch (device.type) {
  case dlpack::kCpu:
  case dlpack::kCudaHost:
    return "cpu";
  case dlpack::kCuda:
  case dlpack::kCudaManaged:
    return "cuda:" + std::to_string(device.id);
  default:
    return "DLPack device " + std::to_string(device.type);
  }
}

std::string python::tupleText(const int64_t *sizes, int rank) {
  std::string text = "(";
  for (int i = 0; i < rank; ++i)
    text += (i ? ", " : "") +
            (sizes[i] == CTC_DYNAMIC ? "N" : std::to_string(sizes[i]));
  return text + (rank == 1 ? ",)" : ")");
}

bool TensorView::isDense() const {
  int64_t expected = 1;
  bool dense = true;
  for (int i = rank - 1; i >= 0; --i) {
    if (shape[i] == 0)
      return true;
    dense = dense && (shape[i] == 1 || strides[i] == expected);
    expected *= shape[i];
  }
  return dense;
}

uint64_t TensorView::bytes() const {
  uint64_t count = type.bits / 8;
  for (int i = 0; i < rank; ++i)
    count *= static_cast<uint64_t>(shape[i]);
  return count;
}

//===----------------------------------------------------------------------===//
// What a type offers
//===----------------------------------------------------------------------===//

static const dlpack::ExchangeApi *exchangeApiOf(nb::handle type) {
  nb::object capsule =
      nb::getattr(type, "__dlpack_c_exchange_api__", nb::none());
  if (!PyCapsule_IsValid(capsule.ptr(), "dlpack_exchange_api"))
    return nullptr;
  auto *api = static_cast<const dlpack::ExchangeApi *>(
      PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
  while (api && api->version.major != 1)
    api = api->previous;
  return api && api->tensorFromObject ? api : nullptr;
}

/// Finds PyTorch's functions that allocate; ones it does not have stay null.
static void inspectTorch(nb::handle object, TypeTraits &traits) {
  const nb::object torch =
      nb::getattr(nb::module_::import_("sys").attr("modules"), "get")("torch");
  const nb::object tensor = nb::getattr(torch, "Tensor", nb::none());
  if (tensor.is_none() || PyObject_IsInstance(object.ptr(), tensor.ptr()) != 1)
    return;
  nb::object at = torch;
  for (const char *name : {"_C", "_dynamo", "guards"})
    at = nb::getattr(at, name, nb::none());
  const auto find = [&](const char *name) {
    const nb::object found = nb::getattr(at, name, nb::none());
    return found.is_none() ? nullptr : found.inc_ref().ptr();
  };
  traits.emptyOnHost = find("_empty_strided_cpu");
  traits.emptyOnCuda = find("_empty_strided_cuda");
}

static TypeTraits inspect(nb::handle object) {
  const nb::object type = nb::borrow(object.type());
  TypeTraits traits;
  traits.hasGradients = nb::hasattr(type, "requires_grad");
  const nb::object module = nb::getattr(type, "__module__", nb::none());
  traits.isCupy = nb::isinstance<nb::str>(module) &&
                  nb::cast<std::string>(module).starts_with("cupy");
  traits.api = exchangeApiOf(type);
  if (traits.api)
    inspectTorch(object, traits);
  if (traits.api)
    traits.protocol = Protocol::ExchangeApi;
  else if (nb::hasattr(object, "__array_interface__"))
    traits.protocol = Protocol::ArrayInterface;
  else if (traits.isCupy)
    // Its __dlpack__ would make streams wait; calls are on its own stream.
    traits.protocol = Protocol::CudaArrayInterface;
  else if (nb::hasattr(object, "__dlpack__"))
    traits.protocol = Protocol::Dlpack;
  else if (nb::hasattr(object, "__cuda_array_interface__"))
    traits.protocol = Protocol::CudaArrayInterface;
  else
    return {};
  return traits;
}

/// Null for a type that is no array. Guarded by the GIL; types that were seen
/// are kept alive, and the table outlives the interpreter's shutdown.
static const TypeTraits *traitsOf(nb::handle object) {
  static auto *known = new std::unordered_map<PyObject *, TypeTraits>;
  PyObject *type = object.type().ptr();
  const auto at = known->find(type);
  if (at != known->end())
    return &at->second;
  TypeTraits traits = inspect(object);
  if (!traits.api && !nb::hasattr(object, "__array_interface__") &&
      !nb::hasattr(object, "__dlpack__") &&
      !nb::hasattr(object, "__cuda_array_interface__"))
    return nullptr;
  Py_INCREF(type);
  return &known->emplace(type, traits).first->second;
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

static void fillFrom(const dlpack::Tensor &tensor, const char *what,
                     TensorView &result) {
  if (tensor.rank > TensorView::kMaxRank)
    raiseValue(std::string(what) + " has " + std::to_string(tensor.rank) +
               " dimensions, must have 1 to 5");
  result.address = reinterpret_cast<uint64_t>(tensor.data) + tensor.byteOffset;
  result.device = tensor.device;
  result.type = tensor.type;
  result.rank = tensor.rank;
  int64_t dense = 1;
  for (int i = tensor.rank - 1; i >= 0; --i) {
    result.shape[i] = tensor.shape[i];
    result.strides[i] = tensor.strides ? tensor.strides[i] : dense;
    dense *= tensor.shape[i];
  }
}

/// A share of what a producer hands over, given back when the last copy goes.
template <typename Managed>
static std::shared_ptr<void> ownerOf(Managed *managed) {
  return std::shared_ptr<void>(managed, [](void *pointer) {
    auto *self = static_cast<Managed *>(pointer);
    if (self->deleter)
      self->deleter(self);
  });
}

template <typename Managed>
static void take(nb::handle capsule, const char *name, const char *usedName,
                 const char *what, TensorView &result) {
  auto *managed =
      static_cast<Managed *>(PyCapsule_GetPointer(capsule.ptr(), name));
  result.owner = ownerOf(managed);
  PyCapsule_SetName(capsule.ptr(), usedName);
  fillFrom(managed->tensor, what, result);
  if constexpr (std::is_same_v<Managed, dlpack::ManagedTensorVersioned>)
    result.isReadOnly = managed->flags & dlpack::kReadOnly;
}

/// Asks an object for its capsule, in the newest form it knows.
static nb::object capsuleOf(nb::handle object, const nb::dict &arguments) {
  auto versioned = nb::steal<nb::dict>(PyDict_Copy(arguments.ptr()));
  versioned["max_version"] = nb::make_tuple(1, 0);
  const nb::object method = object.attr("__dlpack__");
  try {
    return method(**versioned);
  } catch (nb::python_error &error) {
    if (!error.matches(PyExc_TypeError))
      throw;
  }
  return method(**arguments);
}

static void viewDlpack(nb::handle object, const char *what,
                       std::optional<uint64_t> stream, TensorView &result) {
  const auto device =
      nb::cast<std::pair<int, int>>(object.attr("__dlpack_device__")());
  nb::dict arguments;
  if (device.first == dlpack::kCuda || device.first == dlpack::kCudaManaged)
    // In this protocol 1 is the legacy default stream.
    arguments["stream"] = stream && *stream ? *stream : 1;
  const nb::object capsule = capsuleOf(object, arguments);
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned"))
    take<dlpack::ManagedTensorVersioned>(
        capsule, "dltensor_versioned", "used_dltensor_versioned", what, result);
  else if (PyCapsule_IsValid(capsule.ptr(), "dltensor"))
    take<dlpack::ManagedTensor>(capsule, "dltensor", "used_dltensor", what,
                                result);
  else
    raiseType(std::string(what) + ": __dlpack__ gave no DLPack capsule");
}

static dlpack::DataType typeFromString(const std::string &text,
                                       const std::string &dtypeName,
                                       const char *what) {
  if (dtypeName == "bfloat16")
    return {dlpack::kBfloat, 16, 1};
  unsigned width = 0; // Bytes of an element.
  if (text.size() >= 3)
    std::from_chars(text.data() + 2, text.data() + text.size(), width);
  const bool isKnown = width >= 1 && width <= 31; // As DLPack counts bits.
  const auto bits = static_cast<uint8_t>(8 * width);
  if (isKnown && (text[0] == '<' || text[0] == '|'))
    switch (text[1]) {
    case 'f':
      return {dlpack::kFloat, bits, 1};
    case 'i':
      return {dlpack::kInt, bits, 1};
    case 'u':
      return {dlpack::kUInt, bits, 1};
    case 'b':
      return {dlpack::kBool, 8, 1};
    case 'c':
      return {dlpack::kComplex, bits, 1};
    default:
      break;
    }
  raiseType(std::string(what) + " has dtype " +
            (dtypeName.empty() ? text : dtypeName + " (" + text + ")") +
            ", must be float32, float16 or bfloat16 in the machine's byte "
            "order");
}

/// Reads the dictionary of __array_interface__ or __cuda_array_interface__,
/// which agree in all that is read here.
static void readInterface(nb::handle object, const char *interfaceName,
                          const char *what, TensorView &result) {
  const auto fields = nb::cast<nb::dict>(object.attr(interfaceName));
  const auto data = nb::cast<nb::tuple>(fields["data"]);
  result.address = nb::cast<uint64_t>(data[0]);
  result.isReadOnly = nb::cast<bool>(data[1]);
  std::string dtypeName;
  const nb::object dtype = nb::getattr(object, "dtype", nb::none());
  if (!dtype.is_none())
    dtypeName = nb::cast<std::string>(nb::str(nb::handle(dtype)));
  result.type =
      typeFromString(nb::cast<std::string>(fields["typestr"]), dtypeName, what);
  const auto shape = nb::cast<std::vector<int64_t>>(fields["shape"]);
  const auto rank = static_cast<int>(shape.size());
  if (rank > TensorView::kMaxRank)
    raiseValue(std::string(what) + " has " + std::to_string(rank) +
               " dimensions, must have 1 to 5");
  result.rank = rank;
  std::copy(shape.begin(), shape.end(), result.shape);
  const nb::object strides = fields.contains("strides")
                                 ? nb::object(fields["strides"])
                                 : nb::object(nb::none());
  const int64_t width = result.type.bits / 8;
  if (!strides.is_none()) {
    const auto inBytes = nb::cast<std::vector<int64_t>>(strides);
    if (inBytes.size() != shape.size())
      raiseValue(std::string(what) + " has " + std::to_string(inBytes.size()) +
                 " strides for " + std::to_string(rank) +
                 " dimensions, must have one for each");
    for (int i = 0; i < rank; ++i)
      // A stride between elements makes no dense array: none is named 0.
      result.strides[i] = inBytes[i] % width ? 0 : inBytes[i] / width;
    return;
  }
  int64_t dense = 1;
  for (int i = rank - 1; i >= 0; --i) {
    result.strides[i] = dense;
    dense *= shape[i];
  }
}

static void viewInterface(nb::handle object, const char *interfaceName,
                          const char *what, TensorView &result) {
  try {
    readInterface(object, interfaceName, what, result);
  } catch (const std::bad_cast &) {
    raiseType(std::string(what) + " has a field in its " + interfaceName +
              " that is of another type than NumPy documents");
  }
}

/// The device of an address that came without one, as the framework names it.
static int ordinalOf(nb::handle object) {
  const nb::object device = nb::getattr(object, "device", nb::none());
  const nb::object id = nb::getattr(device, "id", nb::none());
  return nb::isinstance<nb::int_>(id) ? nb::cast<int>(id) : 0;
}

static void viewCudaInterface(nb::handle object, const char *what,
                              TensorView &result) {
  viewInterface(object, "__cuda_array_interface__", what, result);
  result.device = {dlpack::kCuda, ordinalOf(object)};
  const auto fields =
      nb::cast<nb::dict>(object.attr("__cuda_array_interface__"));
  const nb::object stream =
      fields.contains("stream") ? nb::object(fields["stream"]) : nb::none();
  // The interface's 1 is the legacy default stream, which is the driver's 0.
  if (!stream.is_none()) {
    const auto handle = nb::cast<uint64_t>(stream);
    result.producerStream = handle == 1 ? 0 : handle;
  }
}

static void refuseGradients(nb::handle object, const char *what) {
  static PyObject *requiresGrad = PyUnicode_InternFromString("requires_grad");
  PyObject *value = PyObject_GetAttr(object.ptr(), requiresGrad);
  if (!value)
    throw nb::python_error();
  const bool refused = value == Py_True;
  Py_DECREF(value);
  if (refused)
    raiseValue(std::string(what) +
               " requires gradients, which a launch outside autograd would "
               "lose; use ctc.torch, or give its detach()");
}

/// Raises for an array that its framework does not hand over, in place of what
/// the framework says, which for PyTorch is a stack of C++ functions.
[[noreturn]] static void refuseExchange(nb::handle object, const char *what) {
  nb::python_error refused;
  const auto text = [&](const char *attribute) {
    const nb::object value = nb::getattr(object, attribute, nb::none());
    return nb::cast<std::string>(nb::str(nb::handle(value)));
  };
  const std::string name = what, layout = text("layout"),
                    device = text("device"), dtype = text("dtype");
  if (layout.starts_with("torch.") && layout != "torch.strided")
    raiseValue(name + " has layout " + layout + ", must have torch.strided");
  if (device == "meta")
    raiseValue(name + " is on meta, must be on cpu or cuda");
  const std::string message =
      nb::cast<std::string>(nb::str(nb::handle(refused.value())));
  raiseType(name + " has dtype " + dtype + " on " + device +
            ", which DLPack does not hand over: " +
            message.substr(0, message.find('\n')));
}

TensorView python::view(nb::handle object, const char *what,
                        std::optional<uint64_t> stream) {
  TensorView result;
  view(object, what, stream, result);
  return result;
}

void python::view(nb::handle object, const char *what,
                  std::optional<uint64_t> stream, TensorView &result) {
  result.traits = traitsOf(object);
  if (!result.traits)
    raiseType(std::string(what) + " is a " +
              nb::cast<std::string>(object.type().attr("__name__")) +
              ", must be an array: NumPy, or anything with __dlpack__ or "
              "__cuda_array_interface__");
  if (result.traits->hasGradients)
    refuseGradients(object, what);
  switch (result.traits->protocol) {
  case Protocol::ExchangeApi: {
    dlpack::Tensor tensor;
    if (result.traits->api->tensorFromObject(object.ptr(), &tensor) != 0)
      refuseExchange(object, what);
    fillFrom(tensor, what, result);
    break;
  }
  case Protocol::ArrayInterface:
    viewInterface(object, "__array_interface__", what, result);
    result.device = {dlpack::kCpu, 0};
    break;
  case Protocol::Dlpack:
    viewDlpack(object, what, stream, result);
    break;
  case Protocol::CudaArrayInterface:
    viewCudaInterface(object, what, result);
    break;
  }
}

bool python::shareMemory(nb::handle object, TensorView &view) {
  if (view.traits->protocol != Protocol::ExchangeApi)
    return false;
  dlpack::ManagedTensorVersioned *managed = nullptr;
  if (view.traits->api->managedFromObject(object.ptr(), &managed) != 0)
    throw nb::python_error();
  view.owner = ownerOf(managed);
  return true;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

std::optional<uint64_t> python::currentStream(const TensorView &tensor) {
  if (tensor.traits->api) {
    void *stream = nullptr;
    if (tensor.traits->api->currentStream(tensor.device.type, tensor.device.id,
                                          &stream) != 0)
      throw nb::python_error();
    return reinterpret_cast<uint64_t>(stream);
  }
  if (tensor.traits->isCupy)
    return nb::cast<uint64_t>(nb::module_::import_("cupy.cuda")
                                  .attr("get_current_stream")()
                                  .attr("ptr"));
  return tensor.producerStream;
}

uint64_t python::streamHandle(nb::handle stream) {
  if (nb::isinstance<nb::int_>(stream)) {
    uint64_t handle = 0;
    if (nb::try_cast(stream, handle))
      return handle;
    raiseValue("stream is " + nb::cast<std::string>(nb::str(stream)) +
               ", must be a handle from 0 to 2^64 - 1");
  }
  for (const char *name : {"cuda_stream", "ptr"})
    if (nb::hasattr(stream, name))
      return nb::cast<uint64_t>(stream.attr(name));
  if (nb::hasattr(stream, "__cuda_stream__"))
    return nb::cast<std::pair<int, uint64_t>>(stream.attr("__cuda_stream__")())
        .second;
  raiseType("stream is a " +
            nb::cast<std::string>(stream.type().attr("__name__")) +
            ", must be an integer handle, a torch or CuPy stream, or have "
            "__cuda_stream__");
}
