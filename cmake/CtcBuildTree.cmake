# Lets another CMake project link the libraries of this build tree without
# building them again: python-bindings does, given -DCTC_BUILD_TREE.
set(ctc_tree_targets CtcSupport CtcChips CtcBundle ctc_runtime)
if(CTC_ENABLE_COMPILER)
  list(APPEND ctc_tree_targets
    CtcDialect CtcTuning CtcTransforms CtcConversion CtcCodeGen CtcPipelines)
endif()
export(TARGETS ${ctc_tree_targets} NAMESPACE ctc-tree::
       FILE ${PROJECT_BINARY_DIR}/ctcBuildTree.cmake)
