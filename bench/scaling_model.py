#!/usr/bin/env python3
"""The time of one training step on 8 to 4,096 GPUs, modelled: prints the table of docs/scaling.md.

    bench/scaling_model.py [--tflops 120] [--batch 64] ...

compute      = operations of a step / achieved rate; the same on every rank, as the batch per rank stays the same
all-reduce   = within a host over NVLink, then between hosts over as many network rails as a host has GPUs:
               2 (g-1)/g bytes / nvlink + 2 (h-1)/h bytes / g / rail + 2 (g-1 + log2 h) latency
step         = compute + the part of the all-reduce that backward does not hide (buckets are sent while it runs)
"""
import argparse
import math

GIGA = 1e9


def all_reduce(ranks, bytes_, o):
    """Seconds that one all-reduce takes."""
    g = min(ranks, o.gpus)
    hosts = ranks // g
    inside = 2 * (g - 1) / g * bytes_ / (o.nvlink * GIGA)
    between = 2 * (hosts - 1) / hosts * bytes_ / g / (o.rail * GIGA)
    return inside + between + 2 * (g - 1 + math.log2(hosts)) * o.latency * 1e-6


def step(ranks, o):
    """(compute, communication, visible communication) in seconds."""
    compute = o.batch * o.gflop / (o.tflops * 1e3)
    networks = (o.parameters_d * 4e6, o.parameters_g * 4e6)
    buckets = [max(1, math.ceil(size / (o.bucket * 2 ** 20))) for size in networks]
    total = sum(count * all_reduce(ranks, size / count, o) for size, count in zip(networks, buckets))
    last = sum(all_reduce(ranks, size / count, o) for size, count in zip(networks, buckets))
    hideable = o.backward * compute
    return compute, total, max(last, total - hideable)


def table(o):
    rows = ['| GPUs | compute ms | all-reduce ms | of it visible ms | step ms | efficiency | images/s |',
            '|---:|---:|---:|---:|---:|---:|---:|']
    for ranks in (8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096):
        compute, total, visible = step(ranks, o)
        time = compute + visible
        rows.append(f'| {ranks:,} | {1e3 * compute:.1f} | {1e3 * total:.2f} | {1e3 * visible:.2f} | {1e3 * time:.1f} | '
                    f'{100 * compute / time:.0f} % | {ranks * o.batch / time:,.0f} |')
    return '\n'.join(rows)


def options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--gflop', type=float, default=14.2, help='GFLOP of a step per image (gan-train --dry-run)')
    parser.add_argument('--parameters-d', type=float, default=44.7, help='millions of parameters of D')
    parser.add_argument('--parameters-g', type=float, default=12.8, help='millions of parameters of G')
    parser.add_argument('--batch', type=int, default=64, help='images per rank')
    parser.add_argument('--tflops', type=float, default=89, help='TFLOP/s that a GPU achieves on these networks')
    parser.add_argument('--gpus', type=int, default=8, help='GPUs per host')
    parser.add_argument('--nvlink', type=float, default=150, help='achieved GB/s per GPU in one direction')
    parser.add_argument('--rail', type=float, default=20, help='achieved GB/s of the network rail of a GPU')
    parser.add_argument('--latency', type=float, default=8, help='microseconds per hop')
    parser.add_argument('--bucket', type=float, default=25, help='size of a bucket in MiB')
    parser.add_argument('--backward', type=float, default=0.5,
                        help='fraction of the computation that overlaps with the exchange of buckets')
    return parser.parse_args(arguments)


if __name__ == '__main__':
    print(table(options()))
