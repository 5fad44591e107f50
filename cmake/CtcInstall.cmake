# What `cmake --install` puts under the prefix, so that find_package(ctc) gives
# the target ctc::runtime: the C API's headers, the shared library, and the
# package files.
include(CMakePackageConfigHelpers)

set(ctc_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ctc)

install(TARGETS ctc_runtime EXPORT ctcTargets
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime)
install(FILES
    include/ctc/Runtime/ctc_check.h
    include/ctc/Runtime/ctc_profile.h
    include/ctc/Runtime/ctc_runtime.h
    include/ctc/Runtime/ctc_runtime.hpp
    include/ctc/Runtime/ctc_timing.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ctc/Runtime COMPONENT runtime)
install(EXPORT ctcTargets NAMESPACE ctc::
  DESTINATION ${ctc_package_dir} COMPONENT runtime)

configure_package_config_file(cmake/ctcConfig.cmake.in
  ${PROJECT_BINARY_DIR}/cmake/ctcConfig.cmake
  INSTALL_DESTINATION ${ctc_package_dir})
write_basic_package_version_file(
  ${PROJECT_BINARY_DIR}/cmake/ctcConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
    ${PROJECT_BINARY_DIR}/cmake/ctcConfig.cmake
    ${PROJECT_BINARY_DIR}/cmake/ctcConfigVersion.cmake
  DESTINATION ${ctc_package_dir} COMPONENT runtime)
