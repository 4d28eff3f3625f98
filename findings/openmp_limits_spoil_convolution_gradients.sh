#!/usr/bin/env bash
# PyTorch 2.11.0 (PyPI wheel, CPU): where OpenMP gives a parallel region fewer threads than torch.set_num_threads asked
# for, the gradient of a convolution's weight is wrong by about its own size, without an error or a warning. The output
# and the gradient of the input are right.
#
# The guess before it was run: OMP_DYNAMIC or OMP_THREAD_LIMIT can only make PyTorch slower, since a loop's work is shared
# among the threads that there are.
#
# What was seen (x86-64, two cores):
#   plain                 output 3e-07   gradient of input 3e-07   gradient of weight 7e-07
#   OMP_THREAD_LIMIT=1    output 3e-07   gradient of input 3e-07   gradient of weight 0.7
#   OMP_DYNAMIC=true      output 3e-07   gradient of input 3e-07   gradient of weight 0.7
# OMP_DYNAMIC=true depends on the load of the machine; only OMP_THREAD_LIMIT=1 is asserted. Batch systems and container
# images set both.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install torch==2.11.0 numpy==2.2.6

cat >"$folder/gradients.py" <<'PYTHON'
import sys
import torch

torch.manual_seed(0)
torch.set_num_threads(2)


def run(dtype, images, weight):
    images, weight = (tensor.to(dtype).detach().requires_grad_() for tensor in (images, weight))
    output = torch.nn.functional.conv2d(images, weight, stride=2, padding=1)
    output.square().sum().backward()
    return [tensor.detach().double() for tensor in (output, images.grad, weight.grad)]


images, weight = torch.randn(8, 16, 32, 32), torch.randn(32, 16, 4, 4)
errors = [float((single - double).norm() / double.norm())
          for single, double in zip(run(torch.float, images, weight), run(torch.double, images, weight))]
print('output %.0e   gradient of input %.0e   gradient of weight %.1g' % tuple(errors))
sys.exit(0 if max(errors[:2]) < 1e-5 and (errors[2] > 0.1) == (sys.argv[1] == 'wrong') else 1)
PYTHON

"$folder/venv/bin/python" -c 'import torch; print("torch", torch.__version__)'
printf 'plain                 '
"$folder/venv/bin/python" "$folder/gradients.py" right
printf 'OMP_THREAD_LIMIT=1    '
OMP_THREAD_LIMIT=1 "$folder/venv/bin/python" "$folder/gradients.py" wrong
