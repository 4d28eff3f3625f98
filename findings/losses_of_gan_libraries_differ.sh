#!/usr/bin/env bash
# MONAI 1.6.1 and torchgan 0.1.0 with torch 2.11.0 (PyPI wheels, CPU): losses of GANs that compute something else than the papers whose
# names they have, without an error or a warning.
#   - MONAI, PatchAdversarialLoss: `hinge` is the hinge loss of tanh(output), also for the generator, and `least_squares`, the
#     default, that of LeakyReLU(output) with a slope of 0.05.
#   - torchgan: the gradient penalties of WGAN-GP and DRAGAN grow with the batch size. For a discriminator whose gradient has a norm
#     of exactly 1 at every image, where the penalty is 0, it is 49 in batches of 64.
#
# The guess before it was run: the losses are those of the papers on the outputs as they are: relu(1 - x) and relu(1 + x) for the
# discriminator, -x for the generator; (x - 1) squared and x squared; and the mean over the images of (norm - 1) squared.
#
# The reason: MONAI's documentation says that an activation that depends on the criterion is taken care of within the loss, and asks
# for outputs without one; it does not say which. torchgan takes one norm of the gradients of the whole batch.
#
# What follows for users: the generator of a hinge loss has a constant gradient. MONAI's is the smaller the better the discriminator
# is, a hundredth at -3, so the generator stops learning. torchgan pulls the discriminator to a slope of 1 / sqrt(batch size), so the
# generator's gradient is an eighth of what the learning rates of the paper expect, and smaller with larger batches. Write
# these lines yourself; no_activation_leastsq=True repairs MONAI's least squares.
#
# What was seen, for an output x of the discriminator:
#                                            MONAI: loss, gradient     the formula: loss, gradient
#   hinge, generator, x = -3                 1.995  -0.0099              3       -1
#   hinge, generator, x = 3                  0.005  -0.0099             -3       -1
#   hinge, generated image, x = 0.9          1.72    0.49                1.9      1
#   hinge, real image, x = -3                1.995  -0.0099              4       -1
#   hinge, real image, x = 2                 0.036  -0.071               0        0
#   least squares, generated image, x = -3   0.023  -0.015               9       -6
#   least squares, real image, x = -3        1.32   -0.115              16       -8
#   the same, no_activation_leastsq=True    16      -8                  16       -8
# and for a linear discriminator with a slope of 1, and the slope that training with torchgan's penalty alone leads to:
#   batch size    WGAN-GP    DRAGAN     the formula    slope after training
#        1         0          0         0              1.000
#        4         1          1         0              0.500
#       16         9          9         0              0.250
#       64        49         49         0              0.125
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  monai==1.6.1 torchgan==0.1.0

cat >"$folder/loss.py" <<'PYTHON'
import sys

import torch
from monai.losses import PatchAdversarialLoss


def measured(loss, output):
    """The loss of one output of the discriminator, and its gradient."""
    x = torch.tensor([[float(output)]], requires_grad=True)
    value = loss(x).mean()
    value.backward()
    return value.item(), x.grad.item()


def monai(criterion, real, discriminator, **options):
    loss = PatchAdversarialLoss(criterion=criterion, **options)
    return lambda x: loss(x, target_is_real=real, for_discriminator=discriminator)


ROWS = [('hinge, generator', monai('hinge', True, False), lambda x: -x, -3),
        ('hinge, generator', monai('hinge', True, False), lambda x: -x, 3),
        ('hinge, generated image', monai('hinge', False, True), lambda x: torch.relu(1 + x), 0.9),
        ('hinge, real image', monai('hinge', True, True), lambda x: torch.relu(1 - x), -3),
        ('hinge, real image', monai('hinge', True, True), lambda x: torch.relu(1 - x), 2),
        ('least squares, generated image', monai('least_squares', False, True), lambda x: x ** 2, -3),
        ('least squares, real image', monai('least_squares', True, True), lambda x: (x - 1) ** 2, -3),
        ('the same, no_activation_leastsq', monai('least_squares', True, True, no_activation_leastsq=True),
         lambda x: (x - 1) ** 2, -3)]
EXPECTED = [(1.9951, -0.0099), (0.0049, -0.0099), (1.7163, 0.487), (1.9951, -0.0099), (0.036, -0.0707), (0.0225, -0.015),
            (1.3225, -0.115), (16, -8)]
right = True
for (name, loss, formula, output), expected in zip(ROWS, EXPECTED, strict=True):
    found, plain = measured(loss, output), measured(formula, output)
    print(f'{name:32} x = {output:4}   MONAI {found[0]:7.4f} {found[1]:8.4f}   formula {plain[0]:5.2f} {plain[1]:5.2f}')
    right = right and all(abs(a - b) < 1e-3 for a, b in zip(found, expected))
sys.exit(0 if right else 1)
PYTHON
cat >"$folder/penalty.py" <<'PYTHON'
import sys

import torch
from torchgan.losses.functional import dragan_gradient_penalty, wasserstein_gradient_penalty

torch.manual_seed(0)
direction = torch.nn.functional.normalize(torch.randn(192), dim=0)


def outputs(count, slope=1.0):
    """Images of 192 numbers, and the outputs of a discriminator whose gradient at each image has the norm `slope`."""
    images = torch.randn(count, 192, requires_grad=True)
    return images, images @ direction * slope


def formula(images, scores):
    gradients = torch.autograd.grad(scores.sum(), images)[0]
    return ((gradients.flatten(1).norm(dim=1) - 1) ** 2).mean()


def trained_slope(count):
    """The slope after training with the penalty alone."""
    slope = torch.nn.Parameter(torch.tensor(0.7))
    optimizer = torch.optim.SGD([slope], 0.002)
    for _ in range(2000):
        optimizer.zero_grad()
        wasserstein_gradient_penalty(*outputs(count, slope)).backward()
        optimizer.step()
    return slope.item()


right = True
for count in (1, 4, 16, 64):
    wasserstein, dragan, plain = (float(penalty(*outputs(count))) for penalty in
                                  (wasserstein_gradient_penalty, dragan_gradient_penalty, formula))
    slope = trained_slope(count)
    print(f'batch of {count:2}: WGAN-GP {wasserstein:5.2f}   DRAGAN {dragan:5.2f}   the formula {plain:5.2f}   slope {slope:.3f}')
    expected = (count ** 0.5 - 1) ** 2
    right = right and abs(wasserstein - expected) < 0.01 and abs(dragan - expected) < 0.01 and plain < 1e-6
    right = right and abs(slope - count ** -0.5) < 0.01
sys.exit(0 if right else 1)
PYTHON
export OMP_NUM_THREADS=1
"$folder/venv/bin/python" -W ignore "$folder/loss.py"
"$folder/venv/bin/python" -W ignore "$folder/penalty.py"
