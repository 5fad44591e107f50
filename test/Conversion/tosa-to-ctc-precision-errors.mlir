// RUN: not ctc-opt %s --convert-tosa-to-ctc=precision=fp64 2>&1 | FileCheck %s

// CHECK: error: unknown precision 'fp64', must be one of ieee, tf32, tf32x3
module {}
