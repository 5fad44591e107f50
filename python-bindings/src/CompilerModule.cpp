//===- CompilerModule.cpp - The module ctc._compiler ----------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only this module needs LLVM and MLIR. It gives bundles as bytes, so that it
// shares nothing with ctc._runtime but the format.
//
//===----------------------------------------------------------------------===//

#include "ctc/Bundle/Bundle.h"
#include "ctc/Pipelines/Compile.h"
#include "ctc/Pipelines/LayerBuilder.h"
#include "ctc/Pipelines/Registration.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/SourceMgr.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace nb::literals;
using namespace ctc;
using Names = std::vector<std::string>;
using Sizes = std::vector<int64_t>;
using ModuleRef = mlir::OwningOpRef<mlir::ModuleOp>;

namespace {
/// A context with all dialects that keeps what its diagnostics say.
class Session {
public:
  Session()
      : context(registry()), handler(&context, [this](auto &diagnostic) {
          return keep(diagnostic);
        }) {
    context.printOpOnDiagnostic(false);
  }

  mlir::MLIRContext &get() { return context; }

  ModuleRef parse(const std::string &text, const std::string &name) {
    llvm::SourceMgr sources;
    sources.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text, name),
                               llvm::SMLoc());
    return mlir::parseSourceFile<mlir::ModuleOp>(sources, &context);
  }
  const std::string &errors() const { return text; }

private:
  static mlir::DialectRegistry registry() {
    mlir::DialectRegistry all;
    registerAllDialects(all);
    return all;
  }

  mlir::LogicalResult keep(mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
      return mlir::success();
    llvm::raw_string_ostream stream(text);
    if (!text.empty())
      stream << "\n";
    if (auto at =
            mlir::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
      stream << at.getFilename().getValue() << ":" << at.getLine() << ":"
             << at.getColumn() << ": ";
    stream << diagnostic.str();
    return mlir::success();
  }

  std::string text;
  mlir::MLIRContext context;
  mlir::ScopedDiagnosticHandler handler;
};
} // namespace

[[noreturn]] static void raise(const std::string &message) {
  const nb::object type =
      nb::module_::import_("ctc._errors").attr("CompileError");
  PyErr_SetString(type.ptr(), message.c_str());
  throw nb::python_error();
}

template <typename T> static T must(Expected<T> value) {
  if (!value)
    raise(value.error().message);
  return std::move(*value);
}

template <typename T>
static T named(const char *what, const std::string &text,
               std::optional<T> (*parse)(std::string_view)) {
  if (auto value = parse(text))
    return *value;
  raise(std::string(what) + " is '" + text +
        "', which the compiler does not "
        "know");
}

/// A layer as ctc/_layers.py has checked it: sizes are one per dimension.
static Problem problemOf(const nb::dict &fields) {
  const auto integer = [&](const char *name) {
    return nb::cast<int64_t>(fields[name]);
  };
  const auto text = [&](const char *name) {
    return nb::cast<std::string>(fields[name]);
  };
  Problem problem;
  problem.batch = fields["batch"].is_none() ? kDynamic : integer("batch");
  problem.inputChannels = integer("input_channels");
  problem.outputChannels = integer("output_channels");
  problem.groups = integer("groups");
  problem.type = named("dtype", text("dtype"), parseElementType);
  problem.layout = named("layout", text("layout"), parseLayout);
  problem.precision = named("precision", text("precision"), parsePrecision);
  problem.bias = nb::cast<bool>(fields["bias"]);
  const auto input = nb::cast<Sizes>(fields["input"]);
  const auto kernel = nb::cast<Sizes>(fields["kernel"]);
  const auto stride = nb::cast<Sizes>(fields["stride"]);
  const auto dilation = nb::cast<Sizes>(fields["dilation"]);
  const auto outputPadding = nb::cast<Sizes>(fields["output_padding"]);
  const auto padding =
      nb::cast<std::vector<std::pair<int64_t, int64_t>>>(fields["padding"]);
  for (size_t i = 0; i < input.size(); ++i)
    problem.dims.push_back({input.at(i), kernel.at(i), stride.at(i),
                            dilation.at(i), padding.at(i).first,
                            padding.at(i).second, outputPadding.at(i)});
  return problem;
}

/// Compiles without holding the GIL.
static nb::bytes compileModule(Session &session, mlir::ModuleOp module,
                               const ctc::CompileOptions &options) {
  std::vector<uint8_t> bytes;
  Expected<Bundle> bundle;
  {
    const nb::gil_scoped_release release;
    bundle = ctc::compile(module, options);
    if (bundle) {
      if (auto sound = verify(*bundle); sound)
        bytes = serialize(*bundle);
      else
        bundle = tl::unexpected(sound.error());
    }
  }
  if (!bundle)
    raise(bundle.error().message.empty() ? session.errors()
                                         : bundle.error().message);
  return nb::bytes(bytes.data(), bytes.size());
}

static ctc::CompileOptions optionsOf(const Names &chips,
                                     const std::string &family,
                                     const std::string &tuningTable,
                                     bool useTuningTables) {
  ctc::CompileOptions options;
  options.chips = chips;
  options.family = family;
  options.tuningTable = tuningTable;
  options.useTuningTables = useTuningTables;
  return options;
}

NB_MODULE(_compiler, module) {
  module.attr("llvm_version") = LLVM_VERSION_STRING;
  module.def(
      "compile_layer",
      [](const nb::dict &layer, const Names &epilogue, const Names &chips,
         const std::string &family, const std::string &tuningTable,
         bool useTuningTables) {
        Session session;
        const ModuleRef built =
            must(buildLayer(session.get(), problemOf(layer), epilogue));
        return compileModule(
            session, *built,
            optionsOf(chips, family, tuningTable, useTuningTables));
      },
      "layer"_a, "epilogue"_a, "chips"_a, "family"_a, "tuning_table"_a,
      "use_tuning_tables"_a);
  module.def(
      "compile_mlir",
      [](const std::string &text, const std::string &name, const Names &chips,
         const std::string &family, const std::string &tuningTable,
         bool useTuningTables) {
        Session session;
        const ModuleRef parsed = session.parse(text, name);
        if (!parsed)
          raise(session.errors());
        return compileModule(
            session, *parsed,
            optionsOf(chips, family, tuningTable, useTuningTables));
      },
      "text"_a, "name"_a, "chips"_a, "family"_a, "tuning_table"_a,
      "use_tuning_tables"_a);
  module.def(
      "layer_mlir",
      [](const nb::dict &layer, const Names &epilogue) {
        Session session;
        const ModuleRef built =
            must(buildLayer(session.get(), problemOf(layer), epilogue));
        std::string text;
        llvm::raw_string_ostream stream(text);
        built.get().print(stream);
        return text + "\n";
      },
      "layer"_a, "epilogue"_a);
  module.def("epilogue_steps", [] {
    std::vector<std::pair<std::string, std::string>> steps;
    for (const EpilogueStepInfo &info : epilogueSteps())
      steps.emplace_back(info.spelling.str(), info.meaning.str());
    return steps;
  });
}
