#!/usr/bin/env bash
# piq 0.8.0 (PyPI wheel, torch 2.11.0, CPU): the inception score depends on the order of the images. A set of perfectly recognisable
# images of ten classes has a score of 10 in random order and 1, the worst there is, when it comes class by class.
# torchmetrics 1.9.0 and torch-fidelity 0.4.0 shuffle the same numbers first and give 9.5 to 9.6.
#
# The guess before it was run: the score of a set does not depend on the order in which its images were read.
#
# The reason: the set is cut into ten splits in its order, and each gets a score of its own. A split that has one class only has a
# score of 1. piq.inception_score and piq.IS do not shuffle.
#
# What follows for users: folders with a subfolder for each class are read class by class, and a generator with classes is asked for
# one class after the other, so exactly the sets for which the score was made get the lowest score. Shuffle the features, with a
# generator of their own: features[torch.randperm(len(features), generator=...)]. One split only (num_splits=1) does as well.
#
# What was seen, for 1,000 images, 100 of each class, whose logit is 20 for its class and 0 for the others:
#                                     class by class   shuffled
#   piq.inception_score                    1.0            9.6
#   piq.inception_score, one split        10.0           10.0
#   piq.IS against itself                  distance 0, and 8.6 between the two orders of the same images
#   torchmetrics                           9.6            9.5
#   torch-fidelity                         9.6            9.6
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 GB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile torch==2.11.0 torchvision==0.26.0 numpy==2.2.6 \
  piq==0.8.0 torchmetrics==1.9.0 torch-fidelity==0.4.0

cat >"$folder/score.py" <<'PYTHON'
import sys

import piq
import torch
from torch_fidelity.metric_isc import isc_features_to_metric
from torchmetrics.image.inception import InceptionScore

CLASSES, EACH = 10, 100


class Logits(torch.nn.Module):
    """The logits themselves as images; the inception network would have to be downloaded."""
    num_features = CLASSES

    def forward(self, logits):
        return logits


def by_torchmetrics(logits):
    metric = InceptionScore(feature=Logits())
    metric.update(logits)
    return metric.compute()[0].item()


torch.manual_seed(0)
by_class = 20 * torch.eye(CLASSES).repeat_interleave(EACH, 0)
shuffled = by_class[torch.randperm(len(by_class))]
MEASURES = {
    'piq': lambda logits: piq.inception_score(logits)[0].item(),
    'piq, one split': lambda logits: piq.inception_score(logits, num_splits=1)[0].item(),
    'torchmetrics': by_torchmetrics,
    'torch-fidelity': lambda logits: isc_features_to_metric(logits)['inception_score_mean'],
}
seen = {name: (measure(by_class), measure(shuffled)) for name, measure in MEASURES.items()}
for name, scores in seen.items():
    print(f'{name:16} class by class {scores[0]:5.2f}   shuffled {scores[1]:5.2f}')
distance = piq.IS()(by_class, by_class).item(), piq.IS()(by_class, shuffled).item()
print(f'piq.IS of a set and itself {distance[0]:.2f}, and itself in another order {distance[1]:.2f}')
lowest, highest = seen.pop('piq')
sys.exit(0 if lowest < 1.01 and highest > 9 and all(min(scores) > 9 for scores in seen.values())
         and distance[0] == 0 and distance[1] > 8 else 1)
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/score.py"
