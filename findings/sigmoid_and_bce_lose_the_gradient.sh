#!/usr/bin/env bash
# PyTorch 2.11.0 (PyPI wheel, CPU): where a discriminator that ends in Sigmoid is trained with BCELoss, as in PyTorch's
# DCGAN tutorial, an output that is wrong beyond a logit of 17 has a loss of 100 and a gradient of exactly 0. The generator's
# gradient fades from a logit of -27 on, while the loss still rises.
#
# The guess before it was run: BCELoss cuts its logarithm off at -100, so gradients are right up to a logit of about 100.
#
# The reason: the sigmoid of 17 is 1 in float32. On the other side the backward of BCELoss divides by at least 1e-12.
#
# What follows for users: the loss that is printed does not show that a network has stopped learning. BCEWithLogitsLoss
# has the same values and the right gradients.
#
# What was seen (the right gradient is 1 for label 0 and -1 for label 1 in every row):
#   logit   16 label 0   loss  15.9   gradient 1
#   logit   17 label 0   loss 100.0   gradient 0
#   logit   50 label 0   loss 100.0   gradient 0
#   logit  -25 label 1   loss  25.0   gradient -1
#   logit  -30 label 1   loss  30.0   gradient -0.094
#   logit  -40 label 1   loss  40.0   gradient -4.2e-06
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install torch==2.11.0 numpy==2.2.6

cat >"$folder/gradient.py" <<'PYTHON'
import sys

import torch
from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

print('torch', torch.__version__)


def loss_and_gradient(logit, label, of_logits):
    x = torch.tensor([float(logit)], requires_grad=True)
    y = torch.tensor([float(label)])
    loss = binary_cross_entropy_with_logits(x, y) if of_logits else binary_cross_entropy(torch.sigmoid(x), y)
    return loss.item(), torch.autograd.grad(loss, x)[0].item()


seen = {}
for logit, label in ((16, 0), (17, 0), (50, 0), (-25, 1), (-30, 1), (-40, 1)):
    loss, gradient = loss_and_gradient(logit, label, False)
    right = loss_and_gradient(logit, label, True)[1]
    print(f'logit {logit:4} label {label}   loss {loss:5.1f}   gradient {gradient:.2g}   with logits {right:.2g}')
    seen[logit] = gradient, right
right = all(abs(abs(gradient) - 1) < 1e-6 for _, gradient in seen.values())
lost = seen[17][0] == 0 and seen[50][0] == 0 and -0.2 < seen[-30][0] < 0 and -1e-5 < seen[-40][0] < 0
sys.exit(0 if right and lost and seen[16][0] > 0.99 and seen[-25][0] < -0.99 else 1)
PYTHON
"$folder/venv/bin/python" "$folder/gradient.py"
