# Libraries of the two wings. Each folder under lib/ is one library named
# Ctc<Folder>, and links exactly the libraries it names: the dependency rule of
# docs/Architecture.md is enforced by what is not linked.

# ctc_add_runtime_library(Name SOURCES a.cpp... [DEPENDS CtcX...])
# A library of the runtime wing: the standard library and small header
# libraries, nothing of LLVM or MLIR.
function(ctc_add_runtime_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Werror=return-type
                         -fvisibility=hidden)
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE ${ARG_PRIVATE_DEPENDS})
endfunction()

# ctc_add_compiler_library(Name SOURCES a.cpp... [DEPENDS CtcX...])
# A library of the compiler wing: MLIR and LLVM, shared, and never the runtime
# wing above Bundle.
function(ctc_add_compiler_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;GENERATED" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include)
  target_include_directories(${name} SYSTEM PUBLIC
    ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  # The time goes into LLVM; -O1 builds these in two thirds of the time of -O3.
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter -O1)
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} MLIR LLVM)
  if(ARG_GENERATED)
    add_dependencies(${name} ${ARG_GENERATED})
  endif()
endfunction()
