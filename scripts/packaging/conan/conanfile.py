# SPDX-License-Identifier: MIT
# The headers of the checkout that this file stands in. Random123 is the system's.
import re
from pathlib import Path

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy


class Consistency(ConanFile):
    name = "consistency"
    description = "One-step generative models (consistency models, Song et al. 2023)"
    license = "MIT"
    topics = ("generative-models", "consistency-models", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"system_eigen": [True, False]}  # True: not Conan's package
    default_options = {"system_eigen": False}
    no_copy_source = True

    def _root(self):
        return Path(self.recipe_folder).parents[2]

    def set_version(self):
        header = (self._root() / "include/consistency/core/version.hpp").read_text()
        self.version = ".".join(re.findall(r"#define CONSISTENCY_VERSION_[A-Z]+ (\d+)", header))

    def export_sources(self):
        for pattern in ("LICENSE", "include/*"):
            copy(self, pattern, self._root(), self.export_sources_folder)

    def requirements(self):
        if not self.options.system_eigen:
            self.requires("eigen/[>=3.4.0]", transitive_headers=True)

    def validate(self):
        check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", self.source_folder, Path(self.package_folder, "licenses"))
        copy(self, "include/*", self.source_folder, self.package_folder)

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        if self.options.system_eigen:
            self.cpp_info.includedirs.append("/usr/include/eigen3")
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.system_libs = ["pthread"]

    def package_id(self):
        self.info.settings.clear()
