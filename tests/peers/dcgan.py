"""The networks of gan-train in PyTorch, for everything that is compared with them."""
import torch
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
    """norm: makes the layer that follows each convolution but the first, from its number of channels; None: no such
    layer."""
    layers = []
    for a, b in zip(channels, channels[1:]):
        layers.append(nn.Conv2d(a, b, 4, 2, 1, bias=False))
        layers += ([] if a == 3 or norm is None else [norm(b)]) + [nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels[-1], 1, 1, bias=False))


def optimizer(parameters, rate):
    return torch.optim.Adam(parameters, rate, (0.5, 0.999), fused=True)


class _Conditional(nn.Sequential):
    """The layers of a network, and beside them the modules for classes, which no layer calls."""

    def layers(self):
        return [module for name, module in self.named_children() if name.isdigit()]


class ConditionalGenerator(_Conditional):
    """The embedding of the class joined to the latent."""

    def __init__(self, layers, classes, size):
        super().__init__(*layers)
        self.class_embedding = nn.Embedding(classes, size)

    def forward(self, latents, classes):
        value = torch.cat((latents, self.class_embedding(classes)[:, :, None, None]), 1)
        for layer in self.layers():
            value = layer(value)
        return value


class ConditionalDiscriminator(_Conditional):
    """The projection of Miyato and Koyama (2018): psi(phi(x)) + <V y, phi(x)>, phi averaged over the pixels."""

    def __init__(self, layers, classes, channels, spectral=False):
        super().__init__(*layers)
        projection = nn.Conv2d(channels, classes, 1, bias=False) if spectral else nn.Embedding(classes, channels)
        self.class_projection = projection

    def forward(self, images, classes, others=None, mix=None, features=None):
        """others, mix: images that are the sum of mix of one image of `classes` and 1 - mix of one of `others`."""
        value = images
        for layer in self.layers():
            if isinstance(layer, nn.AdaptiveAvgPool2d):
                phi = value.mean((2, 3))
            value = layer(value)
            if features is not None and isinstance(layer, nn.LeakyReLU):
                features.append(value)
        rows = self.class_projection.weight.flatten(1)
        of_class = rows[classes]
        if others is not None:
            of_class = mix[:, None] * of_class + (1 - mix[:, None]) * rows[others]
        return value.flatten(1) + (of_class * phi).sum(1, keepdim=True)
