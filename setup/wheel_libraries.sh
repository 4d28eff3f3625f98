#!/usr/bin/env bash
# Libraries that a wheel must not take from Debian as they are: libtiff with JBIG-KIT (GPL), OpenCV with GDAL, X11 and LAPACK,
# libarchive with ICU (30 MB). They are built here from Debian's own sources of the same versions, with
# what Equipoise uses of them, so the pixels are those of a build with Debian's. They are put into
# build/wheel-libraries; the script is quick when they exist.
# Usage: setup/wheel_libraries.sh
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$PWD/build/wheel-libraries
work=$prefix/source
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"

# The sources come from the same archives as this machine's packages, without a change to its lists and without root.
apt=(-o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/apt/lists"
  -o Dir::Cache="$work/apt/cache" -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
list_sources() {
  [ ! -s "$work/apt/sources.list" ] || return 0
  apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' \
    >"$work/apt/sources.list"
  apt-get -qq "${apt[@]}" update
}

launcher=()
! command -v ccache >/dev/null || launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

# build LIBRARY_PACKAGE options...: builds the source of the installed package with CMake. apt verifies downloads with
# the archive's signatures.
build() {
  local package=$1 name version
  shift
  read -r name version < <(dpkg-query -W -f '${source:Package} ${source:Version}\n' "$package")
  [ "$(cat "$prefix/share/doc/$name/version" 2>/dev/null)" != "$version" ] || return 0
  list_sources
  echo "building $name $version"
  rm -rf "${work:?}/$name"
  mkdir "$work/$name"
  (cd "$work/$name" && apt-get -qq "${apt[@]}" source --download-only "$name=$version" && dpkg-source --no-check -x ./*.dsc tree) >/dev/null
  cmake -S "$work/$name/tree" -B "$work/$name/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON "${launcher[@]}" -DCMAKE_PREFIX_PATH="$prefix" "$@" >"$work/$name.log"
  cmake --build "$work/$name/build" >>"$work/$name.log" || { tail -n 20 "$work/$name.log" >&2; exit 1; }
  cmake --install "$work/$name/build" >/dev/null
  mkdir -p "$prefix/share/doc/$name"
  cp "$work/$name/tree/debian/copyright" "$prefix/share/doc/$name/"
  rm -rf "${work:?}/$name"
  echo "$version" >"$prefix/share/doc/$name/version"
}

build libtiff-dev -Djbig=OFF -Dtiff-tools=OFF -Dtiff-tests=OFF -Dtiff-contrib=OFF -Dtiff-docs=OFF
build libarchive-dev -DENABLE_NETTLE=OFF -DENABLE_OPENSSL=OFF -DENABLE_MBEDTLS=OFF -DENABLE_LIBXML2=OFF -DENABLE_EXPAT=OFF \
  -DENABLE_ACL=OFF -DENABLE_XATTR=OFF -DENABLE_LIBB2=OFF -DENABLE_ICONV=ON -DENABLE_TAR=OFF -DENABLE_CPIO=OFF -DENABLE_CAT=OFF \
  -DENABLE_TEST=OFF -DENABLE_WERROR=OFF
# Static, so that only the functions that the two plugins call are in the wheel.
build libopencv-dev -DBUILD_SHARED_LIBS=OFF -DBUILD_LIST=core,imgproc,imgcodecs -DBUILD_TESTS=OFF -DBUILD_PERF_TESTS=OFF \
  -DBUILD_EXAMPLES=OFF -DBUILD_opencv_apps=OFF -DBUILD_JAVA=OFF -DBUILD_opencv_python3=OFF -DOPENCV_GENERATE_PKGCONFIG=OFF \
  -DCPU_DISPATCH= -DWITH_OPENJPEG=ON -DBUILD_OPENJPEG=OFF -DWITH_IMGCODEC_HDR=ON -DBUILD_ZLIB=OFF \
  -DOPENCV_FORCE_3RDPARTY_BUILD=OFF -DENABLE_CONFIG_VERIFICATION=OFF \
  $(for part in JASPER JPEG PNG TIFF WEBP OPENEXR GDAL GDCM LAPACK EIGEN OPENCL IPP ITT TBB OPENMP QT GTK V4L FFMPEG GSTREAMER \
      OPENGL VTK PROTOBUF QUIRC ADE 1394 VA VA_INTEL IMGCODEC_SUNRASTER IMGCODEC_PXM IMGCODEC_PFM; do echo "-DWITH_$part=OFF"; done)
