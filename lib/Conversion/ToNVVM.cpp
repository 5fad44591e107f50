//===- ToNVVM.cpp - Kernel signatures for NVVM ----------------------------===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ctc/Conversion/Passes.h"
#include "ctc/Dialect/CTC.h"
#include "ctc/Transforms/Entry.h"
#include "ctc/Tuning/Simt.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

namespace ctc {
#define GEN_PASS_DEF_TONVVM
#include "ctc/Conversion/Passes.h.inc"
} // namespace ctc

using namespace mlir;
using namespace ctc;

/// Entry buffers are aligned to this many bytes (docs/Runtime.md).
static constexpr int64_t kBufferAlignment = 16;

/// What LLVM may assume of a buffer: it fills vectors of neighbouring loads up
/// to the alignment, which must not take it past the end.
static int64_t assumedAlignment(MemRefType type) {
  if (!type.hasStaticShape() || type.getNumElements() == 0)
    return kBufferAlignment;
  const int64_t bytes =
      type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return std::min(kBufferAlignment, bytes & -bytes);
}

/// Threads per SM that registers must suffice for: 65536 / 256 leaves each
/// thread all of the 255 it may have, and what it needs is below 200.
static constexpr int64_t kResidentThreads = 256;

// Registers of an SM of every chip, and what a thread of a simt kernel with
// grouped phases takes beside its sums: addresses, and operands under way. More
// threads than the last number hide no more latency. Without grouped phases
// taps are loops, whose addresses take more.
static constexpr int64_t kRegisters = 65536;
static constexpr int64_t kRegistersBesideSums = 64;
// Where more taps and channels than that are unrolled, ptxas has more of their
// operands under way.
static constexpr int64_t kFewUnrolled = 24;
static constexpr int64_t kRegistersOfMany = 112;
static constexpr int64_t kMaxResidentThreads = 640;

static int64_t residentThreads(gpu::GPUFuncOp function) {
  auto kernel = function->getAttrOfType<ir::KernelAttr>(kKernelAttr);
  if (!kernel || kernel.getFamily() != ir::Family::Simt ||
      kernel.getPhaseCount() == 1)
    return kResidentThreads;
  const int64_t sums = kernel.getWorkerTile()[0] * kernel.getWorkerTile()[1] *
                       kernel.getPhaseCount();
  int64_t taps = 1;
  for (auto [phases, count] : llvm::zip_equal(kernel.getPhases().asArrayRef(),
                                              kernel.getTaps().asArrayRef()))
    if (phases > 1)
      taps *= count;
  if (taps > kMaxTapsInRegisters)
    return kResidentThreads;
  const bool many = taps * kernel.getChunkChannels() > kFewUnrolled;
  const int64_t beside = many ? kRegistersOfMany : kRegistersBesideSums;
  return std::clamp(kRegisters / (sums + beside), kResidentThreads,
                    many ? 2 * kResidentThreads : kMaxResidentThreads);
}

/// Whether a kernel only reads an argument: nothing stores through it or
/// through a view of it.
static bool isReadOnly(Value buffer) {
  return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
    if (isa<ViewLikeOpInterface>(user))
      return llvm::all_of(user->getResults(), isReadOnly);
    auto effects = dyn_cast<MemoryEffectOpInterface>(user);
    return effects && !effects.getEffectOnValue<MemoryEffects::Write>(buffer);
  });
}

namespace {
struct ToNVVM : ctc::impl::ToNVVMBase<ToNVVM> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](gpu::GPUFuncOp function) {
      if (!function.isKernel())
        return WalkResult::advance();
      return failed(convert(function)) ? WalkResult::interrupt()
                                       : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult convert(gpu::GPUFuncOp function) {
    Builder b(&getContext());
    // Behind the parameters stand the workgroup buffers.
    const unsigned parameters = function.getFunctionType().getNumInputs();
    for (BlockArgument argument :
         function.getArguments().take_front(parameters)) {
      auto type = dyn_cast<MemRefType>(argument.getType());
      if (!type)
        continue;
      const unsigned number = argument.getArgNumber();
      function.setArgAttr(number, LLVM::LLVMDialect::getAlignAttrName(),
                          b.getI64IntegerAttr(assumedAlignment(type)));
      if (isReadOnly(argument))
        function.setArgAttr(number, LLVM::LLVMDialect::getReadonlyAttrName(),
                            b.getUnitAttr());
      // Bias and extra operands may be the output itself, read before written;
      // x and w may not.
      if (number < 2)
        function.setArgAttr(number, LLVM::LLVMDialect::getNoAliasAttrName(),
                            b.getUnitAttr());
      // Upstream makes bare pointers of neither a dynamic nor an empty buffer.
      const bool plain = type.hasStaticShape() && type.getNumElements() != 0;
      if (!plain && failed(makeStatic(function, argument)))
        return failure();
    }
    SmallVector<Type> types(function.getBody().getArgumentTypes());
    types.truncate(parameters);
    function.setFunctionType(b.getFunctionType(types, {}));
    setLaunchBounds(function);
    return success();
  }

  /// Promises a number of resident blocks. Left to itself ptxas goes for more
  /// of them and spills values that are uniform over the block to get there.
  static void setLaunchBounds(gpu::GPUFuncOp function) {
    auto block = function.getKnownBlockSizeAttr();
    if (!block)
      return;
    int64_t threads = 1;
    for (int32_t size : block.asArrayRef())
      threads *= size;
    Builder b(function.getContext());
    function->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                      b.getI32IntegerAttr(std::max<int64_t>(
                          1, residentThreads(function) / threads)));
  }

  static LogicalResult makeStatic(gpu::GPUFuncOp function,
                                  BlockArgument argument) {
    for (Operation *user : argument.getUsers())
      if (!isa<memref::ReinterpretCastOp>(user))
        return function.emitOpError("argument ")
               << argument.getArgNumber() << " of type " << argument.getType()
               << " is used by '" << user->getName()
               << "', must be used through memref.reinterpret_cast only; run "
                  "ctc-vectorize first";
    auto type = cast<MemRefType>(argument.getType());
    argument.setType(MemRefType::get({1}, type.getElementType(),
                                     MemRefLayoutAttrInterface(),
                                     type.getMemorySpace()));
    return success();
  }
};
} // namespace
