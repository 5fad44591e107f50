//===- Reduction.h - Reductions of asynchronous copies ----------*- C++ -*-===//
//
// Part of ctc, the compiler for transposed convolution.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX ISA, "Data Movement and Conversion Instructions: cp.reduce.async.bulk"
// and "cp.reduce.async.bulk.tensor": element by element, target = target op
// source. Every element is replaced atomically, also as other host threads see
// it.
//
//  * Sums of floats round to nearest even. Tensors of an Ftz type flush
//    subnormal inputs and results. The others (tensors of TF32 too, whose sums
//    are those of f32) keep them; so does cp.reduce.async.bulk.add.f32, as an
//    H200 was found to do.
//  * Of a NaN and a number, min and max give the number. NaN results are the
//    canonical one, except that a sum of f64 keeps its operand's.
//  * An H200 gave the same bits for tensors of every type.
//  * inc goes up to the source and then to 0, dec down to 0 and then to it.
//
//===----------------------------------------------------------------------===//

#ifndef CTC_LIB_PTXMACHINE_TRANSFERS_REDUCTION_H
#define CTC_LIB_PTXMACHINE_TRANSFERS_REDUCTION_H

#include "Syntax/Types.h"
#include "ctc/PtxMachine/TensorMap.h"

namespace ctc::ptx {

enum class ReduceOp : uint8_t { Add, Min, Max, Inc, Dec, And, Or, Xor };

/// Reduces `bytes` bytes, whole elements, into aligned memory.
using Reducer = void (*)(char *target, const char *source, uint32_t bytes);

/// For elements of a PTX type, or null if the ISA has no such reduction; into
/// shared memory there are fewer.
Reducer findReducer(ReduceOp op, Type type);
Reducer findSharedReducer(ReduceOp op, Type type);
/// For elements of a tensor.
Reducer findReducer(ReduceOp op, TensorType type);

} // namespace ctc::ptx

#endif // CTC_LIB_PTXMACHINE_TRANSFERS_REDUCTION_H
