"""The seed's networks in PyTorch, for whatever is held against it."""
from torch import nn


def generator_channels(features, resolution=128, noise=100):
    return [noise] + [features * 64 // side for side in _sides(resolution)] + [3]


def discriminator_channels(features, resolution=128):
    return [3] + [features * 64 // side for side in reversed([2, *_sides(resolution)])]


def _sides(resolution):
    return [4 << i for i in range(10) if 4 << i < resolution]


def generator(channels):
    layers = []
    for i, (a, b) in enumerate(zip(channels, channels[1:])):
        layers.append(nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=False))
        layers += [nn.Tanh()] if b == 3 else [nn.BatchNorm2d(b), nn.ReLU(True)]
    return nn.Sequential(*layers)


def discriminator(channels, norm=nn.BatchNorm2d):
    """norm: makes what follows all convolutions but the first, from their channels; None: nothing does."""
    layers = []
    for a, b in zip(channels, channels[1:]):
        layers.append(nn.Conv2d(a, b, 4, 2, 1, bias=False))
        layers += ([] if a == 3 or norm is None else [norm(b)]) + [nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels[-1], 1, 1, bias=False))
