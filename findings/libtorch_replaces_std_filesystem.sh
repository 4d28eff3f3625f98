#!/usr/bin/env bash
# PyTorch 2.11.0 (PyPI wheel, Linux x86-64): libtorch_cpu.so holds and exports a std::filesystem of its own, built for an
# older glibc. In a C++ program that links LibTorch, std::filesystem::exists, status, rename, remove_all and about a
# hundred more come from there, not from the compiler's libstdc++.
#
# The guess before it was run: a program's std::filesystem is its compiler's, whatever libraries it links, because
# LibTorch hides what it links statically.
#
# What follows for users: a fix in the system's libstdc++ does not reach such a program; a debugger steps into another
# implementation than the one whose source is installed; and what intercepts stat() sees nothing, because this one calls
# __xstat, the entry point from before glibc 2.33.
#
# What was seen (Debian 12, g++ 12.2):
#   torch 2.11.0: 129 functions of std::filesystem are exported
#   std::filesystem::status is bound to libtorch_cpu.so
#   stat entry points used: __xstat
#
# Needs g++ and binutils. Exits 0 while this is so, 1 when the behaviour changed. Downloads about 550 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-deps \
  torch==2.11.0 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85
packages=$("$folder/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
libraries=$packages/torch/lib

exported=$(nm -D --defined-only "$libraries/libtorch_cpu.so" | c++filt | grep -cE ' [TW] std::filesystem')
echo "torch 2.11.0: $exported functions of std::filesystem are exported"

cat >"$folder/exists.cpp" <<'CPP'
#include <filesystem>
int main() { return std::filesystem::exists("/") ? 0 : 1; }
CPP
g++ -std=c++17 -O1 "$folder/exists.cpp" -o "$folder/exists" -Wl,--no-as-needed -Wl,--allow-shlib-undefined \
  -L"$libraries" -ltorch_cpu -lc10 -Wl,-rpath,"$libraries"
cuda=$(find "$packages/nvidia" -type d -name lib -printf '%p:')
bindings=$(LD_LIBRARY_PATH=$libraries:$cuda LD_DEBUG=bindings "$folder/exists" 2>&1 | c++filt)
bound=$(grep -E "exists .* to .*normal symbol .std::filesystem::status\(" <<<"$bindings" | sed -E 's/.* to ([^ ]+) .*/\1/' |
  xargs -r -n 1 basename | sort -u)
echo "std::filesystem::status is bound to $bound"
echo "stat entry points used: $(nm -D --undefined-only "$libraries/libtorch_cpu.so" | grep -oE '\b__xstat\b' | sort -u)"
[ "$exported" -gt 50 ] && [ "$bound" = libtorch_cpu.so ]
