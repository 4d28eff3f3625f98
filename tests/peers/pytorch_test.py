"""Trains the DCGAN of gan-train in PyTorch from the state, pictures and noise that train_dump left, and compares.

Requirements: losses and gradients of the first step bit-equal or the difference explained; 20 steps within 1e-3
relative. One rank is compared with plain PyTorch, two ranks with DistributedDataParallel over gloo. With
`--convolutions torch` the operations are PyTorch's. By default three convolutions sum in another order (convolution.h):
that is compared with PyTorch in double precision, in which only the order differs.
Usage: pytorch_test.py TRAIN_DUMP RANKS
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file

from dcgan import discriminator, discriminator_channels, generator, generator_channels, optimizer

STEPS = 20
FEATURES = 8


def load(module, state, prefix):
    module.load_state_dict({k[len(prefix):]: v for k, v in state.items() if k.startswith(prefix)})


def train(rank, ranks, folder):
    torch.set_num_threads(1)
    mine = f'{folder}/rank-{rank}-'
    state = load_file(mine + 'state.safetensors')
    nets = dict(generator=generator(generator_channels(FEATURES)),
                discriminator=discriminator(discriminator_channels(FEATURES)))
    for name, net in nets.items():
        load(net.to(state['generator.0.weight'].dtype), state, name + '.')
    if ranks > 1:
        os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT='29511')
        dist.init_process_group('gloo', rank=rank, world_size=ranks)
        wrapped = {k: nn.parallel.DistributedDataParallel(v, broadcast_buffers=False) for k, v in nets.items()}
    else:
        wrapped = nets
    G, D = wrapped['generator'], wrapped['discriminator']
    of_g, of_d = optimizer(G.parameters(), 2e-4), optimizer(D.parameters(), 2e-4)
    towards = lambda logits, label: F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))
    report = dict(losses=[])
    for i in range(STEPS):
        batch = load_file(f'{mine}batch-{i}.safetensors')
        fake = G(batch['latents'])
        of_d.zero_grad(set_to_none=True)
        real_logits, fake_logits = D(batch['real']).flatten(1), D(fake.detach()).flatten(1)
        d_real, d_fake = towards(real_logits, 0.9), towards(fake_logits, 0.1)
        (d_real + d_fake).backward()
        of_d.step()
        of_g.zero_grad(set_to_none=True)
        for p in D.parameters():
            p.requires_grad_(False)
        g = towards(nets['discriminator'](fake).flatten(1), 1.0)
        g.backward()
        of_g.step()
        for p in D.parameters():
            p.requires_grad_(True)
        report['losses'].append([d_real.item(), d_fake.item(), g.item()])
        if i == 0:
            ours = load_file(mine + 'gradients.safetensors')
            theirs = {f'{n}.{k}': p.grad for n, net in nets.items() for k, p in net.named_parameters()}
            assert ours.keys() == theirs.keys()
            report['bit_equal'] = sum(torch.equal(ours[k], theirs[k]) for k in ours)
            report['tensors'] = len(ours)
            report['worst'] = max(((ours[k] - theirs[k]).norm() / theirs[k].norm()).item() for k in ours)
    if ranks > 1:
        dist.destroy_process_group()
    pathlib.Path(f'{folder}/pytorch-{rank}.json').write_text(json.dumps(report))


def compare(rank, ranks, folder, convolutions):
    report = json.loads(pathlib.Path(f'{folder}/pytorch-{rank}.json').read_text())
    ours = json.loads(pathlib.Path(f'{folder}/rank-{rank}-losses.json').read_text())
    apart = [abs(a - b) / abs(b) for us, them in zip(ours, report['losses']) for a, b in zip(us, them)]
    print(f'rank {rank}, convolutions {convolutions}: gradients of step 1: {report["bit_equal"]} of {report["tensors"]} '
          f'tensors bit-equal, worst relative difference {report["worst"]:.2e}; losses of step 1 '
          f'{"bit-equal" if max(apart[:3]) == 0 else f"{max(apart[:3]):.2e} apart"}, of {STEPS} steps at most '
          f'{max(apart):.2e} apart')
    assert len(ours) == STEPS
    if convolutions == 'torch':
        assert max(apart[:2]) == 0, 'the first D losses differ: the forward passes are not the same'
        assert report['worst'] <= (1e-6 if ranks == 1 else 1e-5)
        assert max(apart) <= 1e-3
    else:
        assert 0 < report['worst'] <= 1e-12, 'not the faster convolutions, or wrong ones'
        assert max(apart) <= 1e-9


if __name__ == '__main__':
    program, ranks = sys.argv[1], int(sys.argv[2])
    launcher = ['mpirun', '--oversubscribe', '--bind-to', 'none', '--mca', 'btl', '^tcp', '-np', str(ranks)]
    for convolutions in ('torch', 'auto'):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([*(launcher if ranks > 1 else []), program, folder, str(STEPS), convolutions], check=True)
            mp.spawn(train, (ranks, folder), nprocs=ranks)
            for rank in range(ranks):
                compare(rank, ranks, folder, convolutions)
