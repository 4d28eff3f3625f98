"""Compares every measure with numpy and pytorch-msssim.

Requirement: within 1e-4 of the results of these few lines. Usage: quality_test.py QUALITY_DUMP
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn as nn
from pytorch_msssim import ms_ssim
from safetensors.torch import load_file


class Inception(nn.Module):
    """Has the interface of the public inception-2015-12-05.pt: pixels 0..255 in, features when asked for them."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 24, 8, 8)

    def forward(self, img: torch.Tensor, return_features: bool = False):
        assert img.min() >= 0 and img.max() <= 255 and bool((img == img.round()).all())
        features = torch.relu(self.conv(img / 255)).mean([2, 3])
        return features if return_features else features[:, :2]


def filtered(images, gain):
    row = np.array([1, 4, 6, 4, 1]) / 16
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)), mode='reflect')
    out = sum(row[i] * row[j] * padded[:, :, i:i + images.shape[2], j:j + images.shape[3]]
              for i in range(5) for j in range(5))
    return out * gain


def patches(images, tensors):
    levels, level = [], 0
    while True:
        smaller = filtered(images, 1)[:, :, ::2, ::2] if images.shape[2] > 16 else None
        detail = images
        if smaller is not None:
            spread = np.zeros_like(images)
            spread[:, :, ::2, ::2] = smaller
            detail = images - filtered(spread, 4)
        corners = tensors[f'corners.{level}'].numpy()
        levels.append(np.array([detail[n, :, r:r + 7, c:c + 7] for n in range(len(images)) for r, c in corners[n]]))
        if smaller is None:
            return levels
        images, level = smaller, level + 1


def sliced_wasserstein(a, b, tensors):
    distances = []
    for level, (x, y) in enumerate(zip(patches(a, tensors), patches(b, tensors))):
        projected = []
        for p in (x, y):
            p = (p - p.mean((0, 2, 3), keepdims=True)) / p.std((0, 2, 3), keepdims=True)
            projected.append(np.sort(p.reshape(len(p), -1) @ tensors[f'directions.{level}'].numpy().astype(float), 0))
        distances.append(np.abs(projected[0] - projected[1]).mean())
    return np.mean(distances)


def frechet(a, b):
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(ca @ cb).real, 0)).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * roots


def kernel(a, b):
    k = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3
    off = lambda m: (m.sum() - np.trace(m)) / (len(m) * (len(m) - 1))
    return off(k(a, a)) + off(k(b, b)) - 2 * k(a, b).mean()


def density_coverage(real, fake, k=5):
    distance = lambda x, y: np.sqrt(((x[:, None] - y[None]) ** 2).sum(-1))
    radius = np.sort(distance(real, real), 1)[:, k]
    inside = distance(real, fake) < radius[:, None]
    return inside.sum(0).mean() / k, inside.any(1).mean()


if __name__ == '__main__':
    torch.manual_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        inception = Inception().eval()
        torch.jit.script(inception).save(f'{folder}/inception.pt')
        subprocess.run([sys.argv[1], folder, f'{folder}/inception.pt'], check=True)
        measured = json.loads(pathlib.Path(f'{folder}/measured.json').read_text())
        t = load_file(f'{folder}/tensors.safetensors')
        real, fake = t['real'].double().numpy(), t['fake'].double().numpy()
        features = [t[f'{kind}_features'].double().numpy() for kind in ('real', 'fake')]
        with torch.no_grad():
            pixels = [((t[kind] + 1) * 127.5).add(0.5).floor().clamp(0, 255) for kind in ('real', 'fake')]
            inceptions = [inception(p, True).double().numpy() for p in pixels]
        similarity = lambda a, b: ms_ssim(a.double(), b.double(), data_range=2, win_size=7, size_average=False)
        density, coverage = density_coverage(*features)
        expected = dict(swd=sliced_wasserstein(real, fake, t), frechet=frechet(*features), kernel=kernel(*features),
                        density=density, coverage=coverage, fid=frechet(*inceptions), kid=kernel(*inceptions),
                        ms_ssim=similarity(t['fake'][::2] + 0, t['fake'][1::2] + 0).mean().item())
        apart = (similarity(t['real'], t['fake']) - t['ms_ssim']).abs().max().item()
        print(f'ms_ssim, worst of {len(real)} pairs: {apart:.1e} apart')
        assert apart <= 1e-4 and expected.keys() == measured.keys()
        for name, value in expected.items():
            print(f'{name:9} numpy {value:.7f}  measured {measured[name]:.7f}')
            assert abs(measured[name] - value) <= 1e-4, name
