# Where ptxas and libdevice are. CTC_CUDA_TOOLKIT names a directory with
# bin/ptxas and nvvm/libdevice/libdevice.10.bc; it becomes the default of the
# compiler, which the environment variable CTC_CUDA_TOOLKIT overrides at run
# time. Nothing of CUDA is needed to build: without a toolkit it is empty, and
# compiling to a cubin says so.
set(CTC_CUDA_TOOLKIT "" CACHE PATH
    "Directory with bin/ptxas and nvvm/libdevice/libdevice.10.bc")

# A toolkit that has gone away since the last configure is searched for anew.
if(NOT EXISTS "${CTC_CUDA_TOOLKIT}/bin/ptxas")
  find_package(Python3 COMPONENTS Interpreter)
  if(Python3_FOUND)
    # The search is written once, in the script that also installs the tools.
    execute_process(
      COMMAND ${CMAKE_COMMAND} -E env PYTHONPATH=${PROJECT_SOURCE_DIR}/scripts
              PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE} -m devtool.cuda
      OUTPUT_VARIABLE ctc_found_toolkit
      OUTPUT_STRIP_TRAILING_WHITESPACE)
    set(CTC_CUDA_TOOLKIT "${ctc_found_toolkit}" CACHE PATH
        "Directory with bin/ptxas and nvvm/libdevice/libdevice.10.bc" FORCE)
  endif()
endif()

if(CTC_CUDA_TOOLKIT)
  message(STATUS "ptxas and libdevice: ${CTC_CUDA_TOOLKIT}")
else()
  message(STATUS "ptxas and libdevice: not found, './dev setup' installs them")
endif()
