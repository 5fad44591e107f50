//===- SelectKernel.cpp - Choose a kernel for every layer -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Transforms/Passes.h"
#include "ctc/Tuning/TuningTable.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace ctc {
#define GEN_PASS_DEF_SELECTKERNEL
#include "ctc/Transforms/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

namespace {
struct SelectKernel : ctc::impl::SelectKernelBase<SelectKernel> {
  using SelectKernelBase::SelectKernelBase;

  void runOnOperation() override {
    std::optional<Chip> found = findChip(chip);
    if (!found) {
      getOperation().emitError("unknown chip '")
          << chip << "', must be one of " << listChips();
      return signalPassFailure();
    }
    if (getOperation()->hasAttr(kTargetAttr))
      found = targetOf(getOperation());
    else
      // The passes below are to see what the kernels were chosen for.
      getOperation()->setAttr(kTargetAttr,
                              ir::TargetAttr::get(&getContext(), found->name));
    auto own = readTable();
    if (!own) {
      getOperation().emitError(own.error().message);
      return signalPassFailure();
    }
    const KernelRequest request = makeRequest(*own);
    WalkResult result = getOperation().walk([&](ir::ConvTransposeOp op) {
      return select(op, *found, request).failed() ? WalkResult::interrupt()
                                                  : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// The user's table, if there is one.
  Expected<std::optional<TuningTable>> readTable() {
    if (noTuningTable || tuningTable.empty())
      return std::nullopt;
    return readTuningTable(tuningTable);
  }

  KernelRequest makeRequest(const std::optional<TuningTable> &own) {
    KernelRequest request;
    request.family = family;
    if (candidate >= 0)
      request.candidate = candidate;
    if (noTuningTable)
      return request;
    if (own)
      request.tables.push_back(&*own);
    const auto &shipped = shippedTuningTables();
    if (!shipped) {
      getOperation().emitRemark(shipped.error().message);
      return request;
    }
    for (const TuningTable &table : *shipped) {
      request.tables.push_back(&table);
      for (const std::string &why : table.damaged)
        getOperation().emitRemark(why);
    }
    return request;
  }

  /// The request, with the kernels that are noted at the entry.
  static FailureOr<KernelRequest> addSpilled(ir::ConvTransposeOp op,
                                             KernelRequest request) {
    auto entry = op->getParentOfType<FunctionOpInterface>();
    Attribute noted = entry ? entry->getAttr(kSpilledAttr) : Attribute();
    if (!noted)
      return request;
    auto kernels = dyn_cast<ArrayAttr>(noted);
    if (!kernels || !llvm::all_of(kernels, llvm::IsaPred<ir::KernelAttr>))
      return entry->emitError("'") << kSpilledAttr << "' is " << noted
                                   << ", must be an array of #ctc.kernel";
    llvm::append_range(request.spilled, kernels.getAsRange<ir::KernelAttr>());
    return request;
  }

  LogicalResult select(ir::ConvTransposeOp op, const Chip &chip,
                       const KernelRequest &request) {
    const Problem problem = op.getProblem();
    if (ir::KernelAttr kernel = op.getKernelAttr()) {
      if (auto fits = checkFits(kernel, problem, chip); !fits)
        return op.emitOpError(fits.error().message);
      // Packing follows the kernel, so a packed op keeps what it was packed
      // for.
      op.setKernelAttr(kernel.withSource(ir::ChoiceSource::Explicit));
      return success();
    }
    const FailureOr<KernelRequest> withSpilled = addSpilled(op, request);
    if (failed(withSpilled))
      return failure();
    auto choice = chooseKernel(&getContext(), problem, chip, *withSpilled);
    if (!choice && !withSpilled->spilled.empty()) {
      // Nothing else is left: the model's first, whatever it spills.
      KernelRequest open = request;
      open.tables.clear();
      choice = chooseKernel(&getContext(), problem, chip, open);
    }
    if (!choice)
      return op.emitOpError(choice.error().message);
    op.setKernelAttr(choice->kernel);
    op->setAttr(kReasonAttr, StringAttr::get(&getContext(), choice->reason));
    emitRemark(op.getLoc()) << choice->reason;
    return success();
  }
};
} // namespace
