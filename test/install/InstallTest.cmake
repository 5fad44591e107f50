# cmake -D BUILD_DIR=.. -D EXAMPLES_DIR=.. -D DOCS_DIR=.. -D WORK_DIR=.. -D GENERATOR=..
#       -D C_COMPILER=.. [-D CTC=..] -P InstallTest.cmake
# Installs BUILD_DIR's runtime to a fresh prefix in WORK_DIR, builds the example
# and the program of docs/Runtime.md against it, and runs them: on a bundle that
# CTC compiles, or, without CTC, on a file that is not there.

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  set(output "${output}" PARENT_SCOPE)
  set(result "${result}" PARENT_SCOPE)
endfunction()

function(must_run)
  run(${ARGV})
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed (${result}): ${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

# Writes the C program of a page of documentation to a file.
function(extract_program page file)
  file(READ ${page} text)
  string(FIND "${text}" "```c\n" begin)
  math(EXPR begin "${begin} + 5")
  string(SUBSTRING "${text}" ${begin} -1 text)
  string(FIND "${text}" "```" end)
  string(SUBSTRING "${text}" 0 ${end} text)
  file(WRITE ${file} "${text}")
endfunction()

# Builds the CMake project in a folder against the prefix, with more -D if given.
function(build_against_prefix source build)
  must_run(${CMAKE_COMMAND} -S ${source} -B ${build} -G ${GENERATOR}
           -D CMAKE_PREFIX_PATH=${prefix} -D CMAKE_C_COMPILER=${C_COMPILER}
           -D CMAKE_C_FLAGS=-Wall\ -Wextra\ -Werror\ -pedantic ${ARGN})
  must_run(${CMAKE_COMMAND} --build ${build})
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
set(prefix ${WORK_DIR}/prefix)
must_run(${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${prefix}
         --component runtime)
build_against_prefix(${EXAMPLES_DIR}/c-launch ${WORK_DIR}/build)
set(example ${WORK_DIR}/build/c-launch)
file(COPY ${EXAMPLES_DIR}/c-launch/CMakeLists.txt DESTINATION ${WORK_DIR}/documented)
extract_program(${DOCS_DIR}/Runtime.md ${WORK_DIR}/documented/main.c)
build_against_prefix(${WORK_DIR}/documented ${WORK_DIR}/documented/build)
set(documented ${WORK_DIR}/documented/build/c-launch)

run(${example} ${WORK_DIR}/none.ctcb cpu)
set(expected "CTC_FILE_ERROR: cannot read '${WORK_DIR}/none.ctcb': No such file or directory\n")
if(NOT result EQUAL 1 OR NOT output STREQUAL expected)
  message(FATAL_ERROR "expected: ${expected}got (${result}): ${output}")
endif()

if(CTC)
  must_run(${CTC} compile --input=1x8x5x6xf32 --weight=8x4x3x3xf32 --bias
           --stride=2 --padding=1 --precision=ieee --chip=sm_80,sm_90a
           -o ${WORK_DIR}/layer.ctcb)
  # Small integers make exact sums: the same checksum for every chip's code.
  foreach(chip sm_80 sm_90a)
    must_run(${example} ${WORK_DIR}/layer.ctcb cpu ${chip})
    if(NOT output MATCHES "checksum ([0-9a-f]+) of the 1584 bytes")
      message(FATAL_ERROR "no checksum: ${output}")
    endif()
    message(STATUS "${output}")
    if(NOT DEFINED first)
      set(first ${CMAKE_MATCH_1})
    elseif(NOT first STREQUAL CMAKE_MATCH_1)
      message(FATAL_ERROR "checksums differ: ${first} and ${CMAKE_MATCH_1}")
    endif()
  endforeach()
  must_run(${documented} ${WORK_DIR}/layer.ctcb)
  # Output 0 is reached by one tap of each of the 8 input channels; bias is 1.
  if(NOT output STREQUAL "y[0] = 9\n")
    message(FATAL_ERROR "the documented program printed ${output}")
  endif()

  build_against_prefix(${EXAMPLES_DIR}/c-embed ${WORK_DIR}/embed
                       -D CTC_COMPILER=${CTC})
  must_run(${WORK_DIR}/embed/c-embed cpu)
  if(NOT output STREQUAL "4096 of 4096 outputs are 16.5\n")
    message(FATAL_ERROR "the embedded layer printed ${output}")
  endif()
  run(${WORK_DIR}/embed/c-embed gpu)
  set(expected "CTC_INVALID_ARGUMENT: unknown device 'gpu', known are cuda, cuda:ORDINAL, cpu and auto\n")
  if(NOT result EQUAL 1 OR NOT output STREQUAL expected)
    message(FATAL_ERROR "expected: ${expected}got (${result}): ${output}")
  endif()
endif()
