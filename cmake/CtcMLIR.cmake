# Finds LLVM and MLIR 22 and wraps mlir-tblgen. The shared libraries MLIR and
# LLVM are linked, never the static ones beside them.
find_package(MLIR 22.1 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# ctc_tablegen(Target File.td OUT -gen-flag OUT -gen-flag ...)
# Generates the named files beside the mirrored include folder.
function(ctc_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  set(pairs ${ARGN})
  while(pairs)
    list(POP_FRONT pairs out)
    set(flags)
    while(pairs)
      list(GET pairs 0 head)
      if(NOT head MATCHES "^-")
        break()
      endif()
      list(APPEND flags ${head})
      list(POP_FRONT pairs)
    endwhile()
    mlir_tablegen(${out} ${flags} EXTRA_INCLUDES ${PROJECT_SOURCE_DIR}/include ${MLIR_INCLUDE_DIRS})
  endwhile()
  add_public_tablegen_target(${target})
endfunction()

# llvm-tblgen (Debian: llvm-22) makes the option tables of the tools.
find_program(LLVM_TABLEGEN_EXE llvm-tblgen
  HINTS ${LLVM_TOOLS_BINARY_DIR} REQUIRED)
set(LLVM_TABLEGEN_TARGET "")
