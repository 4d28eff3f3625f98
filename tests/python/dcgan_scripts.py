"""Networks as they are written in the DCGAN scripts from which people usually start."""
import collections

import torch
from torch import nn


def official_generator(nz=100, ngf=16, nc=3, bias=False):
    """The example of PyTorch: one Sequential called main."""
    widths = [ngf * 8, ngf * 4, ngf * 2, ngf]
    layers = []
    for i, (a, b) in enumerate(zip([nz, *widths], [*widths, nc])):
        layers.append(nn.ConvTranspose2d(a, b, 4, 2 if i else 1, 1 if i else 0, bias=bias))
        layers += [nn.Tanh()] if i == 4 else [nn.BatchNorm2d(b), nn.ReLU(True)]
    return nn.Sequential(collections.OrderedDict(main=nn.Sequential(*layers)))


def official_discriminator(ndf=8):
    layers = [nn.Conv2d(3, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for i in range(3):
        layers += [nn.Conv2d(ndf << i, ndf << i + 1, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf << i + 1), nn.LeakyReLU(0.2, True)]
    layers += [nn.Conv2d(ndf * 8, 1, 4, 1, 0, bias=False), nn.Sigmoid()]
    return nn.Sequential(collections.OrderedDict(main=nn.Sequential(*layers)))


class NamedLayers(nn.Module):
    """Convolutions first, norms after them, as attributes; biases as PyTorch has them by default."""

    def __init__(self, nz=64, ngf=8, bias=True, last_first=False):
        super().__init__()
        if last_first:
            self.to_rgb = nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=bias)
        self.conv1 = nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=bias)
        self.conv2 = nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=bias)
        self.conv3 = nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=bias)
        if not last_first:
            self.to_rgb = nn.ConvTranspose2d(ngf, 3, 4, 2, 1, bias=bias)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(ngf * 4), nn.BatchNorm2d(ngf * 2), nn.BatchNorm2d(ngf)

    def forward(self, z):
        for conv, norm in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            z = torch.relu(norm(conv(z)))
        return torch.tanh(self.to_rgb(z))


def block(a, b, stride, padding, **options):
    return nn.Sequential(nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False), nn.BatchNorm2d(b, **options), nn.ReLU())


class NestedBlocks(nn.Module):
    def __init__(self, nz=100, features=8, affine=True):
        super().__init__()
        self.net = nn.Sequential(block(nz, features * 16, 1, 0, affine=affine), block(features * 16, features * 8, 2, 1, affine=affine),
                                 block(features * 8, features * 4, 2, 1, affine=affine), block(features * 4, features * 2, 2, 1, affine=affine),
                                 nn.ConvTranspose2d(features * 2, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.net(z)


class LinearFirst(nn.Module):
    def __init__(self, nz=50, width=32, bias=False, per_pixel_norm=False):
        super().__init__()
        self.width = width
        self.fc = nn.Linear(nz, width * 16, bias=bias)
        self.fc_norm = nn.BatchNorm1d(width * 16) if per_pixel_norm else nn.Identity()
        self.first_norm = nn.Identity() if per_pixel_norm else nn.BatchNorm2d(width)
        self.up = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(width, width // 2, 4, 2, 1, bias=False), nn.BatchNorm2d(width // 2),
                                nn.ReLU(), nn.ConvTranspose2d(width // 2, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.up(self.first_norm(self.fc_norm(self.fc(z.flatten(1))).view(-1, self.width, 4, 4)))


def with_spectral_norm(network, normed):
    """`normed`: torch.nn.utils.spectral_norm or its successor in parametrizations."""
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, (nn.Conv2d, nn.ConvTranspose2d)):
                setattr(parent, name, normed(child))
    return network


class Upsampling(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(100, 32 * 64)
        self.blocks = nn.Sequential(nn.BatchNorm2d(32), nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, padding=1), nn.BatchNorm2d(16),
                                    nn.LeakyReLU(0.2), nn.Conv2d(16, 3, 3, padding=1), nn.Tanh())

    def forward(self, z):
        return self.blocks(self.l1(z.flatten(1)).view(-1, 32, 8, 8))


class PooledDiscriminator(nn.Module):
    """Five nested blocks, an average over the pixels and a linear layer."""

    def __init__(self, features=8, bias=True):
        super().__init__()
        widths = [features << i for i in range(5)]
        self.first = nn.Conv2d(3, features, 4, 2, 1, bias=False)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=bias), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
                                    for a, b in zip(widths, widths[1:]))
        self.classify = nn.Linear(widths[-1], 1, bias=False)

    def forward(self, pictures):
        value = nn.functional.leaky_relu(self.first(pictures), 0.2)
        for layers in self.blocks:
            value = layers(value)
        return self.classify(value.mean((2, 3)))
