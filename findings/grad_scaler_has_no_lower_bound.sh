#!/usr/bin/env bash
# torch 2.11.0 (PyPI wheel, CPU): torch.amp.GradScaler halves its scale in every step whose gradients are not finite, without a lower bound.
# After 45 such steps in a row, gradients of half precision that are near 1 are 0 in the healthy steps that follow, and smaller ones
# earlier. After 144, the first healthy step makes all weights NaN. There is no error and no warning.
#
# The guess before it was run: skipped steps leave no trace but a lower scale, which stops at a bound, such as DeepSpeed's min_loss_scale,
# and a step whose result is not finite is never taken.
#
# The reason: the scale falls through the numbers that float16 has (2 to the power of -24 is the last) to those that float32 has. Gradients
# then round to 0, and the scale doubles once in 2,000 steps. Below 2 to the power of -127 its reciprocal is infinite in float32. The
# gradients are checked before they are multiplied by it, so 0 times infinity gets to the optimizer.
#
# What follows for users: a part of the data with broken pictures, or a loss term that is NaN at the beginning, is skipped as it should be,
# and the training is dead afterwards: the learning goes on with gradients of 0, and Adam with its averages and its weight decay. Raise
# an error where get_scale() falls below 1, or make a new GradScaler.
#
# What was seen, for one layer under autocast in float16, after some steps with NaN in the input and one step without:
#   steps with NaN     scale      gradients of the healthy step       weights after it
#   0                  2^16       one infinite: skipped               unchanged
#   1                  2^15       -0.25 -0.50 0.50 -1.00, right       changed
#   40                 2^-24      0 -1 1 -2                           changed, 0 or twice too far
#   50                 2^-34      0 0 0 0                             unchanged
#   50, then 10,000 healthy ones   2^-29, and the weights have not moved
#   150                2^-134     NaN                                 NaN
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 numpy==2.2.6

cat >"$folder/scale.py" <<'PYTHON'
import math
import sys
import warnings

import torch

warnings.simplefilter('error')
torch.set_num_threads(1)
print('torch', torch.__version__)
INPUT = torch.tensor([[0.5, 1, -1, 2]])


def train(broken, healthy):
    """One layer after `broken` steps with NaN and `healthy` ones: its weights before and after them, its gradients, the scale."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(4, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler('cpu')
    before = layer.weight.detach().clone()
    for step in range(broken + healthy):
        optimizer.zero_grad()
        with torch.autocast('cpu', dtype=torch.float16):
            output = layer(INPUT * (math.nan if step < broken else 1))
        scaler.scale(output.float().square().mean()).backward()
        if step == broken:
            scale = scaler.get_scale()
        scaler.step(optimizer)
        scaler.update()
    return before, layer.weight.detach(), layer.weight.grad, scale, scaler.get_scale()


def report(broken, healthy=1):
    before, after, gradients, first, last = train(broken, healthy)
    moved = 'NaN' if after.isnan().all() else 'unchanged' if torch.equal(before, after) else 'changed'
    print(f'{broken} with NaN, {healthy} without: scale 2^{math.log2(first):.0f}, at the end 2^{math.log2(last):.0f}, gradients',
          *(f'{number:.2f}' for number in gradients[0].tolist()), 'weights', moved)
    return first, gradients[0], moved


seen = {broken: report(broken) for broken in (0, 1, 40, 50, 150)}
right = seen[1][1]
ok = seen[0][2] == 'unchanged' and seen[0][1].isinf().any() and seen[1][2] == 'changed' and right.isfinite().all()
ok &= seen[40][2] == 'changed' and not torch.allclose(seen[40][1], right, rtol=0.5)
ok &= seen[50][2] == 'unchanged' and not seen[50][1].any()
ok &= seen[150][2] == 'NaN' and seen[150][0] == 2**-134
ok &= report(50, 10000)[2] == 'unchanged'
sys.exit(0 if ok else 1)
PYTHON
"$folder/venv/bin/python" "$folder/scale.py"
