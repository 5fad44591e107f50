//===- EmitC.cpp - A bundle as C source -----------------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "EmitC.h"
#include "ctc/Bundle/Bundle.h"
#include "ctc/Bundle/Queries.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace ctc;
using namespace ctc::driver;

/// Whether a word can be the name of a C function.
static bool isIdentifier(std::string_view word) {
  if (word.empty() || llvm::isDigit(word.front()))
    return false;
  return llvm::all_of(word,
                      [](char c) { return llvm::isAlnum(c) || c == '_'; });
}

namespace {
/// One entry and the names it gets in C.
class EntryWriter {
public:
  EntryWriter(const Entry &entry, std::string prefix)
      : entry(entry), prefix(std::move(prefix)) {
    for (const Argument &argument : entry.arguments)
      if (argument.role != ArgumentRole::Weight &&
          argument.role != ArgumentRole::PackedWeight)
        launched.push_back(&argument);
  }

  /// Fails when two arguments get one name.
  Expected<void> check() const;
  void writeDeclarations(llvm::raw_ostream &os) const;
  void writeDefinitions(llvm::raw_ostream &os) const;

private:
  bool isDynamic() const { return entry.problem.hasDynamicBatch(); }
  bool hasWeight() const {
    return llvm::any_of(entry.arguments, [](const Argument &argument) {
      return argument.role == ArgumentRole::Weight;
    });
  }
  std::string type() const { return prefix + "_layer"; }
  void writeSizes(llvm::raw_ostream &os) const;
  std::string loadSignature() const;
  std::string prepareSignature() const;
  std::string launchSignature() const;

  const Entry &entry;
  std::string prefix;
  std::vector<const Argument *> launched; ///< In the order of a launch.
};
} // namespace

/// An argument's name as part of C names: "in put" is in_put.
static std::string cName(llvm::StringRef name) {
  std::string result = name.str();
  for (char &c : result)
    if (!llvm::isAlnum(c))
      c = '_';
  return result;
}

static std::string addressName(const Argument &argument) {
  return cName(argument.name) + "_address";
}

Expected<void> EntryWriter::check() const {
  std::set<std::string> names;
  for (const Argument &argument : entry.arguments)
    if (!names.insert(llvm::StringRef(cName(argument.name)).upper()).second)
      return makeError(ErrorCode::Usage,
                       "two arguments of entry '" + entry.name +
                           "' have the C name '" + cName(argument.name) +
                           "', must differ in letters or digits");
  return {};
}

/// Bytes of every buffer a caller makes, as macros; a dynamic batch is their
/// argument.
void EntryWriter::writeSizes(llvm::raw_ostream &os) const {
  os << "/* Bytes of the buffers";
  if (isDynamic())
    os << " for a batch";
  os << ". */\n";
  for (const Argument &argument : entry.arguments) {
    if (argument.role == ArgumentRole::PackedWeight)
      continue;
    const bool hasBatch = llvm::is_contained(argument.shape, kDynamic);
    // The batch is a factor of the size; verified bundles have all of them
    // below 2^63.
    const auto bytes = byteSize(argument, 1);
    os << "#define " << llvm::StringRef(prefix).upper() << "_"
       << llvm::StringRef(cName(argument.name)).upper() << "_BYTES"
       << (hasBatch ? "(batch)" : "") << " (UINT64_C(" << bytes.value_or(0)
       << ")" << (hasBatch ? " * (uint64_t)(batch)" : "") << ") /* "
       << formatShape(argument.shape) << "x" << name(argument.type).data()
       << " */\n";
  }
}

std::string EntryWriter::loadSignature() const {
  return "ctc_status " + prefix + "_load(const char *device, " + type() +
         " **layer)";
}

std::string EntryWriter::prepareSignature() const {
  return "ctc_status " + prefix + "_prepare(" + type() + " *layer, " +
         (hasWeight() ? "uint64_t weight_address, " : "") + "void *stream)";
}

std::string EntryWriter::launchSignature() const {
  std::string text =
      "ctc_status " + prefix + "_launch(const " + type() + " *layer, ";
  if (isDynamic())
    text += "int64_t batch, ";
  for (const Argument *argument : launched)
    text += "uint64_t " + addressName(*argument) + ", ";
  return text + "void *stream)";
}

void EntryWriter::writeDeclarations(llvm::raw_ostream &os) const {
  const Problem &problem = entry.problem;
  os << "\n/* -- " << entry.name << ": transposed convolution of "
     << formatShape(problem.inputShape()) << " with "
     << formatShape(problem.weightShape()) << " to "
     << formatShape(problem.outputShape()) << ", " << name(problem.layout)
     << " -- */\n\n";
  writeSizes(os);
  os << "\n/* The layer on a device, with its packed weights. */\n"
     << "typedef struct " << type() << " " << type() << ";\n\n"
     << "/* Loads it onto \"cuda\", \"cuda:1\", ..., \"cpu\" or \"auto\". */\n"
     << loadSignature() << ";\n"
     << "/* Packs the weights in the order of the stream; once per weight. */\n"
     << prepareSignature() << ";\n"
     << "/* Launches it on the stream. Neither waits nor allocates. */\n"
     << launchSignature() << ";\n"
     << "/* The device, to allocate and copy with; the layer's own. */\n"
     << "ctc_device *" << prefix << "_device(const " << type() << " *layer);\n"
     << "void " << prefix << "_unload(" << type() << " *layer);\n";
}

void EntryWriter::writeDefinitions(llvm::raw_ostream &os) const {
  os << "\nstruct " << type() << " {\n  ctc_embedded_layer own;\n};\n\n"
     << loadSignature() << " {\n  ctc_embedded_layer *loaded;\n"
     << "  const ctc_status status = ctc_embedded_load(device, \"" << entry.name
     << "\", &loaded);\n  *layer = (" << type()
     << " *)loaded;\n  return status;\n}\n\n"
     << prepareSignature() << " {\n"
     << "  return ctc_layer_prepare(layer->own.layer, "
     << (hasWeight() ? "weight_address" : "0") << ", 0, stream);\n}\n\n"
     << launchSignature() << " {\n  const uint64_t addresses[] = {";
  for (auto [i, argument] : llvm::enumerate(launched))
    os << (i ? ", " : "") << addressName(*argument);
  os << "};\n  return ctc_layer_launch(layer->own.layer, ";
  if (isDynamic())
    os << "batch";
  else
    os << entry.problem.batch;
  os << ", addresses, " << launched.size() << ", stream);\n}\n\n"
     << "ctc_device *" << prefix << "_device(const " << type()
     << " *layer) {\n  return layer->own.device;\n}\n\n"
     << "void " << prefix << "_unload(" << type()
     << " *layer) {\n  ctc_embedded_unload((ctc_embedded_layer *)layer);\n}\n";
}

//===----------------------------------------------------------------------===//
// The files
//===----------------------------------------------------------------------===//

static constexpr const char *kHeaderIntroduction =
    " *\n"
    " * Addresses are device addresses of dense buffers, aligned to 16 bytes;\n"
    " * streams are CUstream or cudaStream_t, NULL the default one. Functions\n"
    " * return CTC_OK, or a status with a sentence in ctc_last_error(). Link\n"
    " * with libctc_runtime (find_package(ctc), ctc::runtime), which opens "
    "the\n"
    " * CUDA driver when it is first needed. */\n\n";

/// What all entries share: opening the embedded bytes.
static constexpr const char *kSharedCode =
    R"(typedef struct ctc_embedded_layer {
  ctc_device *device;
  ctc_layer *layer;
} ctc_embedded_layer;

static void ctc_embedded_unload(ctc_embedded_layer *layer) {
  if (!layer)
    return;
  ctc_layer_destroy(layer->layer);
  ctc_device_close(layer->device);
  free(layer);
}

static ctc_status ctc_embedded_load(const char *device, const char *entry,
                                ctc_embedded_layer **layer) {
  ctc_bundle *bundle = NULL;
  ctc_module *module = NULL;
  *layer = NULL;
  ctc_embedded_layer *loaded = calloc(1, sizeof(*loaded));
  if (!loaded)
    return CTC_OUT_OF_MEMORY;
  ctc_status status =
      ctc_bundle_open_memory(ctc_embedded_bundle, sizeof(ctc_embedded_bundle), &bundle);
  if (status == CTC_OK)
    status = ctc_device_open(device, &loaded->device);
  if (status == CTC_OK)
    status = ctc_module_load(bundle, loaded->device, NULL, &module);
  if (status == CTC_OK)
    status = ctc_layer_create(module, entry, &loaded->layer);
  /* The layer keeps what it needs of these. */
  ctc_module_unload(module);
  ctc_bundle_close(bundle);
  if (status == CTC_OK)
    *layer = loaded;
  else
    ctc_embedded_unload(loaded);
  return status;
}
)";

static void writeBytes(llvm::ArrayRef<uint8_t> bytes, llvm::raw_ostream &os) {
  os << "static const unsigned char ctc_embedded_bundle[] = {";
  for (auto [i, byte] : llvm::enumerate(bytes))
    os << (i % 20 ? "," : i ? ",\n" : "\n") << unsigned(byte);
  os << "};\n\n";
}

Expected<CSource> driver::emitC(const Bundle &bundle, const std::string &name) {
  if (!isIdentifier(name) || llvm::StringRef(name).starts_with("ctc_"))
    return makeError(ErrorCode::Usage,
                     "the C names begin with '" + name +
                         "', must be letters, digits and _, and not begin "
                         "with a digit or ctc_, which is the runtime's");
  const std::vector<Entry> &entries = bundle.images.front().manifest.entries;
  CSource result;
  llvm::raw_string_ostream header(result.header), source(result.source);
  const std::string guard = llvm::StringRef(name).upper() + "_H";
  header << "/* " << name << ".h - made by " << bundle.producer << " for "
         << listChips(bundle.images) << ".\n"
         << kHeaderIntroduction << "#ifndef " << guard << "\n#define " << guard
         << "\n\n#include <ctc/Runtime/ctc_runtime.h>\n\n"
         << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n";
  source << "/* " << name << ".c - made by " << bundle.producer
         << "; see the header. */\n\n#include \"" << name
         << ".h\"\n\n#include <stdlib.h>\n\n";
  writeBytes(serialize(bundle), source);
  source << kSharedCode;
  for (const Entry &entry : entries) {
    if (!isIdentifier(entry.name))
      return makeError(ErrorCode::Usage,
                       "entry '" + entry.name +
                           "' cannot be a C function, its name must be "
                           "letters, digits and _");
    const EntryWriter writer(
        entry, entries.size() == 1 ? name : name + "_" + entry.name);
    if (auto good = writer.check(); !good)
      return tl::unexpected(good.error());
    writer.writeDeclarations(header);
    writer.writeDefinitions(source);
  }
  header << "\n#ifdef __cplusplus\n} /* extern \"C\" */\n#endif\n\n#endif /* "
         << guard << " */\n";
  return result;
}
