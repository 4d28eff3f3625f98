"""The step of gan-train in PyTorch, on one GPU, for bench/gpu_check. Prints {setting: images/s, ..., "gemm_tflops":
{...}}.

    python gpu_peer.py --features 64 --batch 64 --settings fp32,fp32-channels-last,bf16,bf16-channels-last,compile-bf16

It has one network of each kind as gan-train builds them, fused Adam and cudnn.benchmark. The pictures already lie on
the GPU, which favours it, because gan-train loads and copies its own. It computes no statistics, and reads the clock
once before and once after all timed steps.
"""
import argparse
import json
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'tests' / 'peers'))
import dcgan  # noqa: E402


def images_per_second(options, setting):
    torch.manual_seed(1)
    memory = torch.channels_last if 'channels-last' in setting else torch.contiguous_format
    g = dcgan.generator(dcgan.generator_channels(options.features)).cuda().to(memory_format=memory)
    d = dcgan.discriminator(dcgan.discriminator_channels(options.features)).cuda().to(memory_format=memory)
    of_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999), fused=True)
    of_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999), fused=True)
    run_g, run_d = g, d
    if 'compile' in setting:
        run_g, run_d = (torch.compile(network, mode='reduce-overhead') for network in (g, d))
    real = (torch.rand(options.batch, 3, 128, 128, device='cuda') * 2 - 1).contiguous(memory_format=memory)
    loss = F.binary_cross_entropy_with_logits
    autocast = torch.autocast('cuda', torch.bfloat16, enabled='bf16' in setting)
    for step in range(options.steps + options.warmup):
        if step == options.warmup:
            torch.cuda.synchronize()
            start = time.perf_counter()
        # Results of the step before may be overwritten; has no effect without compile.
        torch.compiler.cudagraph_mark_step_begin()
        with autocast:
            fake = run_g(torch.randn(options.batch, 100, 1, 1, device='cuda'))
            on_real, on_fake = run_d(real), run_d(fake.detach())
        of_d.zero_grad(set_to_none=True)
        on_real, on_fake = on_real.float(), on_fake.float()
        (loss(on_real, torch.full_like(on_real, 0.9)) + loss(on_fake, torch.full_like(on_fake, 0.1))).backward()
        of_d.step()
        of_g.zero_grad(set_to_none=True)
        for parameter in d.parameters():
            parameter.requires_grad_(False)
        with autocast:
            judged = run_d(fake)
        judged = judged.float()
        loss(judged, torch.ones_like(judged)).backward()
        of_g.step()
        for parameter in d.parameters():
            parameter.requires_grad_(True)
    torch.cuda.synchronize()
    return options.steps * options.batch / (time.perf_counter() - start)


def gemm_tflops(dtype, tf32):
    torch.backends.cuda.matmul.allow_tf32 = tf32
    a = torch.randn(8192, 8192, device='cuda', dtype=dtype)
    b = torch.randn(8192, 8192, device='cuda', dtype=dtype)
    for _ in range(3):
        a @ b
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(10):
        a @ b
    torch.cuda.synchronize()
    return 10 * 2 * 8192**3 / (time.perf_counter() - start) / 1e12


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--features', type=int, default=64)
    parser.add_argument('--batch', type=int, default=64)
    parser.add_argument('--steps', type=int, default=60)
    parser.add_argument('--warmup', type=int, default=20)
    parser.add_argument('--settings', default='fp32,fp32-channels-last,bf16,bf16-channels-last')
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    found = {setting: images_per_second(options, setting) for setting in options.settings.split(',')}
    found['gemm_tflops'] = {'tf32': gemm_tflops(torch.float, True), 'bf16': gemm_tflops(torch.bfloat16, False)}
    print(json.dumps(found))


main()
