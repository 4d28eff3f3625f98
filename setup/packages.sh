#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that are missing; quick when none is.
# Usage: setup/packages.sh [KIND]; test: what only ./check needs; pictures: quickstart's own; wheel: what only setup/wheel.sh
# needs; environment: what a Python environment needs. Without root it prints what an administrator must do and ends with 77.
set -euo pipefail

case ${1:-build} in
  build)
    packages=(g++ cmake ninja-build pkg-config git ca-certificates python3 python3-venv
      libopenmpi-dev openmpi-bin libtbb-dev libopencv-dev libjpeg-dev libpng-dev libwebp-dev libgif-dev libtiff-dev libavif-dev libjxl-dev libarchive-dev
      libpugixml-dev libeigen3-dev liblmdb-dev libisal-dev
      prometheus-cpp-dev libcli11-dev libspdlog-dev nlohmann-json3-dev libcurl4-openssl-dev
      libxxhash-dev libjemalloc-dev libprotobuf-dev protobuf-compiler libonnx-dev help2man file dpkg-dev ccache mold)
    ;;
  test)
    packages=(doxygen libgtest-dev libgmock-dev prometheus clang libclang-rt-dev clang-tidy curl openssl zstd
      slurmctld slurmd slurm-client munge openssh-server iproute2 libavif-bin libjxl-tools libtiff-tools netpbm
      libimage-exiftool-perl pngcheck webp ffmpeg)
    # Ubuntu has no browser as a package, only as a snap, which can run neither in containers nor in chroots.
    grep -qx 'ID=ubuntu' /etc/os-release || packages+=(chromium)
    ;;
  pictures) packages=(oxygen-icon-theme) ;;
  wheel)
    packages=(dpkg-dev libopenjp2-7-dev libdeflate-dev liblerc-dev libbz2-dev liblzma-dev libzstd-dev
      liblz4-dev)
    ;;
  environment) packages=(python3-venv ca-certificates) ;;
  *) echo "usage: setup/packages.sh [test|pictures|wheel|environment]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

install=(apt-get install -y --no-install-recommends "${missing[@]}")
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    printf '%s\n' "packages.sh: an administrator must install ${#missing[@]} packages first:" "  apt-get update" "  ${install[*]}" >&2
    exit 77
  fi
  as_root=(sudo)
fi
source "$(dirname "$0")/patience.sh"
echo "installing ${#missing[@]} packages: ${missing[*]}"
# RUNLEVEL=1 keeps Debian from starting the Prometheus server: the tests need only promtool.
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Acquire::Retries=3 -o APT::Status-Fd=1 "$@"; }
retry apt update >/dev/null
install_missing() { apt install -y --no-install-recommends "${missing[@]}" | of_apt 2>/dev/null | progress packages; }
retry install_missing
