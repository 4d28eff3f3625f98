"""Generation speed: ours, the PyTorch eager loop and ONNX Runtime, in turns on the same cores.

The aim: at batch 32 and features 64 at least 1.1x PyTorch eager and 0.9 of ONNX Runtime. The programs take turns,
because the speed of a shared machine changes from second to second: each ratio is the median over turns of neighbouring
measurements.
Usage: .deps/python bench/generate/bench.py [--build build/release] [--batch 32] [--features 64] [--threads 2]
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import onnxruntime
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'tests' / 'peers'))
import dcgan  # noqa: E402


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default='build/release')
    parser.add_argument('--batch', type=int, default=32)
    parser.add_argument('--features', type=int, default=64)
    parser.add_argument('--resolution', type=int, default=128)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--turns', type=int, default=12)
    args = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(args.threads)
    generator = dcgan.generator(dcgan.generator_channels(args.features, args.resolution)).eval()
    latents = torch.randn(args.batch, 100, 1, 1)
    with tempfile.TemporaryDirectory() as temporary:
        weights, model = pathlib.Path(temporary) / 'g.safetensors', pathlib.Path(temporary) / 'g.onnx'
        save_file(generator.state_dict(), weights)
        subprocess.run([args.build / 'bin/gan-generate', '--checkpoint', weights, '--onnx', model], check=True)
        session_options = onnxruntime.SessionOptions()
        session_options.intra_op_num_threads = args.threads
        # it must not take time from the others' turns
        session_options.add_session_config_entry('session.intra_op.allow_spinning', '0')
        session = onnxruntime.InferenceSession(str(model), session_options, providers=['CPUExecutionProvider'])
        ours = subprocess.Popen([args.build / 'bin/generate_turns', weights, str(args.batch), str(args.threads)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

        def run_ours():
            ours.stdin.write('\n')
            return float(ours.stdout.readline())

        def run_eager():
            with torch.inference_mode():
                return timed(lambda: generator(latents))

        def run_onnx():
            return timed(lambda: session.run(None, {'latent': latents.numpy()}))

        ways = {'ours': run_ours, 'eager': run_eager, 'onnxruntime': run_onnx}
        for run in ways.values():
            run()
        turns = [{name: run() for name, run in ways.items()} for _ in range(args.turns)]
        ours.stdin.close()
        ours.wait()
    result = {'batch': args.batch, 'features': args.features, 'resolution': args.resolution, 'threads': args.threads}
    for name in ways:
        result[name + '_images_per_second'] = round(args.batch / min(turn[name] for turn in turns), 1)
    for name in ('eager', 'onnxruntime'):
        result['ratio_to_' + name] = round(statistics.median(turn[name] / turn['ours'] for turn in turns), 2)
    print(json.dumps(result, indent=2))


if __name__ == '__main__':
    main()
