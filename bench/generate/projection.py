"""Speed of a projection's step: ours and the same loop in PyTorch, in turns on the same cores.

A step is one of Adam on the latents of all starts. It computes the images, their distance from a photograph, and the
gradient with respect to the latents. The aim: at least 1.3x PyTorch, at 64 px and 16 features. Both take turns, because
the speed of a shared machine changes from second to second: the ratio is the median over turns of neighbouring
measurements. With --checkpoint also with the distance of the discriminator's features. Processor seconds are given as
well, since they depend less on other work of the machine.
Usage: .deps/python bench/generate/projection.py [--build build/release] [--features 16] [--starts 16] [--threads 2]
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# Without this, threads of PyTorch spin while they wait for work; on a machine with other work this took six times as
# many processor seconds. PyTorch reads the variable when it is loaded.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
import torch  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tests' / 'peers'))
import dcgan  # noqa: E402

STEPS = 10  # per turn, as in projection_turns.cpp


def processor_seconds(pid):
    """User and system time of a process."""
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def networks_of(checkpoint, build, folder):
    """The generator as gan-generate exports it, and the discriminator of the checkpoint."""
    subprocess.run([build / 'bin/gan-generate', '--checkpoint', checkpoint, '--export', folder], check=True)
    generator = dcgan.generator(json.loads((folder / 'config.json').read_text())['channels'])
    generator.load_state_dict(load_file(folder / 'generator.safetensors'))
    state = {}
    for part in checkpoint.glob('part-*'):
        state.update({k.removeprefix('discriminator.'): v for k, v in load_file(part).items() if k.startswith('discriminator.')})
    convolutions = sorted((int(k.split('.')[0]), v.shape) for k, v in state.items() if v.dim() == 4 and v.shape[2] == 4)
    discriminator = dcgan.discriminator([3, *(shape[0] for _, shape in convolutions)])
    discriminator.load_state_dict(state)
    return generator.eval(), discriminator.eval()


def features(discriminator, images):
    """The features of all layers but the last, whose map is smaller than 4x4 pixels, as in generate/project."""
    found = []
    for layer in discriminator[:-5]:
        images = layer(images)
        if isinstance(layer, torch.nn.LeakyReLU):
            found.append(images)
    return found


class Torch:
    def __init__(self, generator, discriminator, starts, weight):
        for network in filter(None, (generator, discriminator)):
            network.requires_grad_(False)
        for layer in discriminator or []:
            if isinstance(layer, torch.nn.LeakyReLU):
                layer.inplace = False
        self.generator, self.discriminator, self.weight = generator, discriminator, weight
        self.latents = torch.randn(starts, generator[0].in_channels, 1, 1, requires_grad=True)
        self.adam = torch.optim.Adam([self.latents], lr=0.1)
        side = generator(self.latents[:1]).shape[-1]
        self.photograph = torch.full((1, 3, side, side), 0.25)
        self.wanted = features(discriminator, self.photograph) if weight else []

    def step(self):
        images = self.generator(self.latents)
        distance = ((images - self.photograph) ** 2).mean((1, 2, 3))
        if self.weight:
            parts = [((a - b) ** 2).sum((1, 2, 3)) / (b ** 2).sum()
                     for a, b in zip(features(self.discriminator, images), self.wanted)]
            distance = distance + self.weight * sum(parts) / len(parts)
        self.adam.zero_grad()
        distance.sum().backward()
        self.adam.step()

    def turn(self):
        start, processor = time.perf_counter(), time.process_time()
        for _ in range(STEPS):
            self.step()
        return time.perf_counter() - start, time.process_time() - processor


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default='build/release')
    parser.add_argument('--checkpoint', type=pathlib.Path,
                        help='checkpoint to use instead of random weights, with its discriminator')
    parser.add_argument('--features', type=int, default=16)
    parser.add_argument('--resolution', type=int, default=64)
    parser.add_argument('--starts', type=int, default=16)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--turns', type=int, default=12)
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        weight, discriminator, source = 0, None, folder / 'g.safetensors'
        if args.checkpoint:
            generator, discriminator = networks_of(args.checkpoint, args.build, folder)
            weight, source = 0.1, args.checkpoint
        else:
            generator = dcgan.generator(dcgan.generator_channels(args.features, args.resolution)).eval()
            save_file(generator.state_dict(), source)
        theirs = Torch(generator, discriminator, args.starts, weight)
        ours = subprocess.Popen([args.build / 'bin/projection_turns', source, str(args.starts), str(args.threads), str(weight)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

        def run_ours():
            before = processor_seconds(ours.pid)
            ours.stdin.write('\n')
            return float(ours.stdout.readline()), processor_seconds(ours.pid) - before

        run_ours(), theirs.turn()
        turns = [(run_ours(), theirs.turn()) for _ in range(args.turns)]
        ours.stdin.close()
        ours.wait()
    result = {'starts': args.starts, 'threads': args.threads, 'features': args.features, 'feature_weight': weight}
    for i, kind in enumerate(('seconds', 'processor_seconds')):
        for name, which in (('ours', 0), ('pytorch', 1)):
            result[f'{name}_{kind}_per_step'] = round(statistics.median(turn[which][i] for turn in turns) / STEPS, 4)
    result['ratio_to_pytorch'] = round(statistics.median(turn[1][0] / turn[0][0] for turn in turns), 2)
    total = [sum(turn[which][1] for turn in turns) for which in (0, 1)]
    result['ratio_of_processor_seconds'] = round(total[1] / total[0], 2)
    print(json.dumps(result, indent=2))


if __name__ == '__main__':
    main()
