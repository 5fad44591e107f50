# cmake -D NM=.. -D LIBRARY=.. -P ExportsTest.cmake
# libctc_runtime.so exports the C API and nothing else, and none of what it
# takes from other libraries is LLVM's, MLIR's or the CUDA driver's.
function(names_of flag)
  execute_process(COMMAND ${NM} -D ${flag} ${LIBRARY}
                  RESULT_VARIABLE result OUTPUT_VARIABLE names)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${NM} -D ${flag} ${LIBRARY} failed: ${result}")
  endif()
  set(names "${names}" PARENT_SCOPE)
endfunction()

names_of(--defined-only)
string(REGEX MATCHALL " [^ \n]+\n" exported "${names}")
list(LENGTH exported count)
list(FILTER exported EXCLUDE REGEX " (ctc_[a-z0-9_]+|CTC_0)(@@CTC_0)?\n")
if(count LESS 30 OR exported)
  message(FATAL_ERROR "of ${count} exports these are no C API: ${exported}")
endif()

names_of(--undefined-only)
string(REGEX MATCHALL " [^ \n]*(4llvm|4mlir|LLVM|mlir|cuInit|cuLaunch)[^ \n]*\n"
       foreign "${names}")
if(foreign)
  message(FATAL_ERROR "the runtime must not need ${foreign}")
endif()
