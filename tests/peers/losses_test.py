"""Compares every loss, penalty, norm and matching term with PyTorch, and two ranks with one.

Requirements: value, gradient and second-order gradient (`second`: the difference as a part of what the penalty alone
adds to D's gradient) within 1e-5 of this script; two ranks equal one rank on the joined batch to 1e-5 (batch norms
synchronised, so that every norm sees the same samples); with batch norm in D the penalty equals the mean of norms
computed sample by sample, to 1e-5. In double precision G's gradient is taken after D's update; in single precision D
stands still, as Adam's first step turns rounding in gradients near zero into whole steps. Usage: losses_test.py
LOSSES_DUMP
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file
from torch.nn.utils.parametrizations import spectral_norm

from dcgan import (ConditionalDiscriminator, ConditionalGenerator, discriminator, discriminator_channels, generator,
                   generator_channels, optimizer)

FEATURES, NOISE, SIDE = 4, 16, 64
CLASSES, EMBEDDING = 3, 64
BCE, HINGE, WGAN_GP, RPGAN = 'bce', 'hinge', 'wgan-gp', 'rpgan'  # values of --loss
BATCH, LAYER, INSTANCE, NONE = range(4)
NORMS = {BATCH: nn.BatchNorm2d, LAYER: lambda n: nn.GroupNorm(1, n),
         INSTANCE: lambda n: nn.InstanceNorm2d(n, affine=True), NONE: None}
BAR = 1e-5


def case(name, loss=BCE, norm=BATCH, spectral=False, r1=0.0, r2=0.0, every=1, feature_matching=0.0, perceptual=0.0,
         frozen=False, classes=False):
    return dict(locals())


# An untrained D without norms needs large weights of R1 and R2: with 2 and 0.5 they add less than a ten-thousandth to its
# gradient, and on AVX2 single precision shows `second` to 1.6e-5 only.
CASES = [case('bce'), case('hinge', HINGE), case('wgan-gp', WGAN_GP), case('wgan-gp-layer', WGAN_GP, LAYER),
         case('rpgan', RPGAN, r1=1.0, r2=1.0), case('rpgan-none', RPGAN, NONE, r1=200.0, r2=50.0),
         case('bce-r1-batch', r1=10.0), case('bce-r1-lazy', norm=LAYER, r1=10.0, every=4),
         case('hinge-instance-r2', HINGE, INSTANCE, r2=3.0),
         case('hinge-instance-frozen', HINGE, INSTANCE, r2=3.0, frozen=True), case('hinge-spectral', HINGE, NONE, True),
         case('wgan-spectral', WGAN_GP, LAYER, True), case('bce-matching', norm=LAYER, feature_matching=2.0),
         case('rpgan-matching', RPGAN, LAYER, r1=1.0, feature_matching=1.0),
         case('hinge-perceptual', HINGE, NONE, perceptual=3.0),
         # Conditional networks. The penalties see each image's class, and WGAN-GP's mixes those of both images. R1 and R2
         # with the running statistics of an untrained batch norm are a millionth of the loss, below single precision.
         case('bce-classes', classes=True), case('bce-r1-classes', norm=LAYER, r1=10.0, r2=1.0, classes=True),
         case('hinge-classes', HINGE, LAYER, classes=True), case('hinge-spectral-classes', HINGE, NONE, True, classes=True),
         case('wgan-gp-classes', WGAN_GP, LAYER, classes=True), case('rpgan-classes', RPGAN, LAYER, r1=1.0, r2=1.0, classes=True),
         case('wgan-spectral-classes', WGAN_GP, LAYER, True, classes=True),
         case('rpgan-matching-classes', RPGAN, LAYER, r1=1.0, feature_matching=1.0, classes=True)]


class Extractor(nn.Module):
    """Imitates a user's network: frozen random features of two depths."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3, 2)

    def forward(self, x):
        a = torch.relu(self.a(x))
        return a, torch.relu(self.b(a))


def load(module, state, prefix, spectral=False):
    state = {k[len(prefix):]: v for k, v in state.items() if k.startswith(prefix)}
    module.load_state_dict({k: v for k, v in state.items() if k.rsplit('.')[-1] not in 'uv'})
    for i, layer in list(module.named_children()) if spectral else []:
        if isinstance(layer, nn.Conv2d):
            spectral_norm(layer)
            layer.parametrizations.weight[0]._u.copy_(state[f'{i}.u'])
            layer.parametrizations.weight[0]._v.copy_(state[f'{i}.v'])
    return module


def judge(D, images, *classes):
    """The logits and the features. classes: nothing without classes, or what ConditionalDiscriminator takes."""
    features = []
    if classes:
        return D(images, *classes, features=features), features
    for layer in D:
        images = layer(images)
        if isinstance(layer, nn.LeakyReLU):
            features.append(images)
    return images.flatten(1), features


def matching(real, fake):
    return sum((f.mean(0) - r.detach().mean(0)).square().mean() for r, f in zip(real, fake))


def towards(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def gradient_norms(D, images, *classes):
    """Returns the norm of the gradient of D for each image. Each image is alone in its batch, as the definition of the
    gradient penalty assumes."""
    norms = []
    for i, image in enumerate(images.detach()):
        x = image[None].requires_grad_(True)
        logit = judge(D, x, *(of_all[i:i + 1] for of_all in classes))[0]
        norms.append(torch.autograd.grad(logit.sum(), x, create_graph=True)[0].norm())
    return torch.stack(norms)


def penalty(c, D, real, fake, mix, of_real, of_fake):
    D.eval()
    total = 0
    mix = mix.to(real.dtype)
    if c['loss'] == WGAN_GP:
        between = mix[:, None, None, None] * real
        between = between + (1 - mix[:, None, None, None]) * fake.detach()
        of_both = (*of_real, *of_fake, mix) if of_real else ()
        total = total + 10 * (gradient_norms(D, between, *of_both) - 1).square().mean()
    for gamma, images, classes in ((c['r1'], real, of_real), (c['r2'], fake, of_fake)):
        if gamma:
            total = total + gamma * c['every'] / 2 * gradient_norms(D, images, *classes).square().mean()
    D.train()
    return total


def networks(c):
    d_channels = discriminator_channels(FEATURES, SIDE)
    D = discriminator(d_channels, NORMS[c['norm']])
    if not c['classes']:
        return generator(generator_channels(FEATURES, SIDE, NOISE)), D
    return (ConditionalGenerator(generator(generator_channels(FEATURES, SIDE, NOISE + EMBEDDING)), CLASSES, EMBEDDING),
            ConditionalDiscriminator(D, CLASSES, d_channels[-1], c['spectral']))


def step(c, folder, extractor):
    mine = f'{folder}/{c["name"]}-0-'
    state, batch = load_file(mine + 'before.safetensors'), load_file(mine + 'batch.safetensors')
    real, dtype = batch['real'], batch['real'].dtype
    G, D = networks(c)
    G = load(G.to(dtype), state, 'generator.')
    G.train(not c['frozen'])
    D = load(D.to(dtype), state, 'discriminator.', c['spectral'])
    of_real, of_fake = ((batch[k],) if c['classes'] else () for k in ('real_classes', 'fake_classes'))
    of_discriminator = optimizer(D.parameters(), c['lr_d'])
    fake = G(batch['latents'], *of_fake)
    r, f = judge(D, real, *of_real)[0], judge(D, fake.detach(), *of_fake)[0]
    d = {BCE: lambda: towards(r, 0.9) + towards(f, 0.1), HINGE: lambda: F.relu(1 - r).mean() + F.relu(1 + f).mean(),
         WGAN_GP: lambda: f.mean() - r.mean(), RPGAN: lambda: F.softplus(f - r).mean()}[c['loss']]()
    extra = penalty(c, D, real, fake, batch['mix'], of_real, of_fake)
    second = ()
    if torch.is_tensor(extra):
        second = torch.autograd.grad(extra, list(D.parameters()), retain_graph=True, allow_unused=True)
    (d + extra).backward()
    of_d = [f'discriminator.{k}'.replace('.parametrizations.weight.original', '.weight') for k, _ in D.named_parameters()]
    gradients = {k: p.grad.clone() for k, p in zip(of_d, D.parameters())}
    of_discriminator.step()
    for p in D.parameters():
        p.requires_grad_(False)
    match = 0
    real_features = judge(D, real, *of_real)[1] if c['feature_matching'] else None
    r = judge(D, real, *of_real)[0] if c['loss'] == RPGAN and not c['feature_matching'] else None
    f, features = judge(D, fake, *of_fake)
    if c['feature_matching']:
        r = judge(D, real, *of_real)[0] if c['loss'] == RPGAN else None
        match = match + c['feature_matching'] * matching(real_features, features)
    if c['perceptual']:
        match = match + c['perceptual'] * matching(extractor.to(dtype)(real), extractor(fake))
    g = {BCE: lambda: towards(f, 1.0), HINGE: lambda: -f.mean(), WGAN_GP: lambda: -f.mean(),
         RPGAN: lambda: F.softplus(r - f).mean()}[c['loss']]()
    (g + match).backward()
    gradients |= {f'generator.{k}': p.grad for k, p in G.named_parameters()}
    losses = {k: float(torch.as_tensor(v).detach()) for k, v in dict(d=d, penalty=extra, g=g, matching=match).items()}
    return losses, gradients, {k: v for k, v in zip(of_d, second) if v is not None}


def apart(ours, theirs):
    return max(((ours[k] - theirs[k]).norm() / theirs[k].norm().clamp_min(1e-30)).item() for k in theirs)


def apart_by_second_order(ours, theirs, second):
    """The difference of D's gradients as a part of what the penalty alone adds to them."""
    length = lambda tensors: sum(t.double().square().sum() for t in tensors).sqrt()
    return (length(ours[k] - theirs[k] for k in second) / length(second.values())).item()


def difference(name, a, b):
    # Losses that are means of logits are small at the start: what counts is the size of the logits, about 0.1. A penalty
    # is held to its own size, however small.
    least = 1e-30 if name == 'penalty' else 0.1
    return abs(a - b) / max(abs(b), least)


def worst_losses(ours, theirs):
    return max(difference(k, ours[k], theirs[k]) for k in theirs)


def ours(c, folder, rank=0):
    mine = f'{folder}/{c["name"]}-{rank}-'
    return json.loads(pathlib.Path(mine + 'losses.json').read_text()), load_file(mine + 'gradients.safetensors')


def part(gradients, network):
    return {k: v for k, v in gradients.items() if k.startswith(network)}


if __name__ == '__main__':
    torch.set_num_threads(1)
    torch.manual_seed(1)
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        extractor = Extractor().requires_grad_(False)
        for precision in ('single', 'double'):
            in_double = precision == 'double'
            extractor = extractor.double() if in_double else extractor
            torch.jit.script(extractor).save(f'{folder}/extractor.pt')
            cases = [c | dict(double=in_double, lr_d=2e-4 if in_double else 0.0, extractor=f'{folder}/extractor.pt') for c in CASES]
            pathlib.Path(f'{folder}/cases.json').write_text(json.dumps(cases))
            mpirun = ['mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', '^tcp', '-np', '2']
            for ranks in (1, 2):
                pathlib.Path(f'{folder}/{ranks}').mkdir(exist_ok=True)
                subprocess.run([*(mpirun if ranks == 2 else []), sys.argv[1], f'{folder}/{ranks}',
                                f'{folder}/cases.json'], check=True)
            for c in cases:
                losses, gradients = ours(c, f'{folder}/1')
                their_losses, theirs, second = step(c, f'{folder}/1', extractor)
                assert gradients.keys() == theirs.keys()
                figures = dict(losses=worst_losses(losses, their_losses),
                               d=apart(part(gradients, 'disc'), part(theirs, 'disc')),
                               g=apart(part(gradients, 'gen'), part(theirs, 'gen')))
                if second:
                    figures |= dict(second=apart_by_second_order(gradients, theirs, second))
                halves = [ours(c, f'{folder}/2', rank) for rank in range(2)]
                assert all(torch.equal(halves[0][1][k], halves[1][1][k]) for k in gradients)
                together = {k: (halves[0][0][k] + halves[1][0][k]) / 2 for k in losses}
                figures |= dict(ranks_losses=worst_losses(together, losses),
                                ranks_d=apart(part(halves[0][1], 'disc'), part(gradients, 'disc')),
                                ranks_g=apart(part(halves[0][1], 'gen'), part(gradients, 'gen')))
                # Where G's batch norm mixes the samples of two ranks its images differ by a rounding, which D's instance
                # norm over four pixels magnifies: in double, or with G's norm frozen, the same two agree.
                bar = 10 * BAR if not in_double and c['norm'] == INSTANCE and not c['frozen'] else BAR
                bad = max(figures.values()) > bar
                failures += bad
                print(f'{precision} {c["name"]:20}', *(f'{k} {v:.1e}' for k, v in figures.items()), 'TOO FAR' * bad)
    sys.exit(failures > 0)
