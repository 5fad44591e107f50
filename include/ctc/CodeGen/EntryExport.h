//===- EntryExport.h - What the manifest says of an entry -----------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef CTC_CODEGEN_ENTRYEXPORT_H
#define CTC_CODEGEN_ENTRYEXPORT_H

#include "ctc/Bundle/Manifest.h"
#include "ctc/Support/Error.h"

#include "mlir/IR/BuiltinOps.h"

namespace ctc {

/// The entries of a module after ctc-bufferize, without their launches.
Expected<std::vector<Entry>> exportEntries(mlir::ModuleOp module);

/// Adds the launches that stand in the entries after ctc-tile.
void exportLaunches(mlir::ModuleOp module, std::vector<Entry> &entries);

} // namespace ctc

#endif // CTC_CODEGEN_ENTRYEXPORT_H
