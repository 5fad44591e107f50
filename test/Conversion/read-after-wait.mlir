// What a kernel that waits only reads goes behind the wait, through an instruction that nothing is known of, and is invariant there.
// RUN: ctc-opt %s --pass-pipeline='builtin.module(gpu.module(ctc-read-after-wait))' | FileCheck %s

gpu.module @kernels {
  // CHECK-LABEL: llvm.func @waits
  // CHECK-SAME: %[[X:[a-z0-9]+]]: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.readonly}
  // CHECK-SAME: %[[Y:[a-z0-9]+]]: !llvm.ptr<1> {llvm.align = 16 : i64}
  // CHECK-SAME: %[[B:[a-z0-9]+]]: !llvm.ptr<1> {llvm.readonly}
  // CHECK-NEXT: nvvm.griddepcontrol wait
  // CHECK-NEXT: %[[BEHIND:.*]] = llvm.inline_asm has_side_effects "", "=l,0" %[[X]] : (!llvm.ptr<1>) -> !llvm.ptr<1>
  // CHECK-NEXT: llvm.getelementptr %[[BEHIND]][1]
  // CHECK-NEXT: llvm.load %{{.*}} invariant {alignment = 4 : i64} : !llvm.ptr<1> -> f32
  // CHECK-NEXT: llvm.load %[[BEHIND]] invariant : !llvm.ptr<1> -> vector<4xf32>
  // CHECK-NEXT: llvm.load %[[B]] : !llvm.ptr<1> -> f32
  // CHECK-NEXT: llvm.load %[[Y]] : !llvm.ptr<1> -> f32
  // CHECK-NEXT: llvm.store
  // CHECK-NOT: inline_asm
  llvm.func @waits(%x: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias, llvm.readonly}, %y: !llvm.ptr<1> {llvm.align = 16 : i64, llvm.noalias}, %b: !llvm.ptr<1> {llvm.readonly}) attributes {nvvm.kernel} {
    %at = llvm.getelementptr %x[1] : (!llvm.ptr<1>) -> !llvm.ptr<1>, f32
    nvvm.griddepcontrol wait
    %0 = llvm.load %at {alignment = 4 : i64} : !llvm.ptr<1> -> f32
    %1 = llvm.load %x : !llvm.ptr<1> -> vector<4xf32>
    %2 = llvm.load %b : !llvm.ptr<1> -> f32
    %3 = llvm.load %y : !llvm.ptr<1> -> f32
    llvm.store %0, %y : f32, !llvm.ptr<1>
    llvm.return
  }
  // CHECK-LABEL: llvm.func @does_not
  // CHECK-SAME: {llvm.noalias, llvm.readonly}
  // CHECK-NEXT: llvm.load %{{[a-z0-9]+}} : !llvm.ptr<1> -> f32
  llvm.func @does_not(%x: !llvm.ptr<1> {llvm.noalias, llvm.readonly}) attributes {nvvm.kernel} {
    %0 = llvm.load %x : !llvm.ptr<1> -> f32
    llvm.return
  }
  // CHECK: llvm.func @elsewhere(!llvm.ptr<1>)
  llvm.func @elsewhere(!llvm.ptr<1>)
}
