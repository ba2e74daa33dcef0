# SPDX-License-Identifier: MIT
# An overlay port: the headers of the checkout that this file stands in.
set(VCPKG_BUILD_TYPE release) # headers alone
cmake_path(ABSOLUTE_PATH CURRENT_PORT_DIR OUTPUT_VARIABLE port)
cmake_path(SET SOURCE_PATH NORMALIZE "${port}/../../../..")

vcpkg_check_features(OUT_FEATURE_OPTIONS features FEATURES io CONSISTENCY_IO)
vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    ${features}
    -DCONSISTENCY_COMPILED=OFF
    -DCONSISTENCY_CUDA=OFF
    -DCONSISTENCY_MPI=OFF
    -DCONSISTENCY_BUILD_TESTS=OFF
    -DCONSISTENCY_BUILD_EXAMPLES=OFF
    -DCONSISTENCY_BUILD_BENCH=OFF
    -DCONSISTENCY_INSTALL=ON)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/consistency)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/lib")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
