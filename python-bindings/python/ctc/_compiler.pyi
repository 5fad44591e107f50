#===- _compiler.pyi - The module with LLVM ---------------------------------===#
#
# Part of ctc, the compiler for transposed convolution.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
#===----------------------------------------------------------------------===#
from collections.abc import Sequence
from typing import Any

llvm_version: str

def compile_layer(layer: dict[str, Any], epilogue: Sequence[str],
                  chips: Sequence[str], family: str, tuning_table: str,
                  use_tuning_tables: bool) -> bytes: ...
def compile_mlir(text: str, name: str, chips: Sequence[str],
                 family: str, tuning_table: str,
                 use_tuning_tables: bool) -> bytes: ...
def layer_mlir(layer: dict[str, Any], epilogue: Sequence[str]) -> str: ...
def epilogue_steps() -> list[tuple[str, str]]: ...
