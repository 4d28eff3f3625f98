#!/usr/bin/env python3
"""One other program (a peer) that does the work of gan-preprocess, as its users would write it: it turns a folder of
pictures into N x 128 x 128 x 3 uint8 in memory.

    python peers.py NAME FOLDER WORKERS          # bench.py --peers bench/preprocess/peers.py --names pil,vips,... runs it
    python peers.py NAME FOLDER WORKERS --exact  # how far its records are from Pillow's, over the first 200 pictures

Needs the package after which the peer is named: pillow (or pillow-simd), torchcodec with torch, spdl and spdl-io,
pyvips and pyvips-binary, nvidia-dali-cuda130 (its CPU part).
"""
import concurrent.futures
import pathlib
import sys
import time

import numpy as np

SIDE = 128
OUT = '/dev/shm/peer.bin'


def square(pixels):
    top, left = (round((n - SIDE) / 2) for n in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top:top + SIDE, left:left + SIDE])


def smaller(width, height):
    return (SIDE, SIDE * height // width) if width <= height else (SIDE * width // height, SIDE)


def pil(path):
    from PIL import Image
    try:
        import pillow_heif
        pillow_heif.register_heif_opener()
    except ImportError:
        pass
    with Image.open(path) as image:
        image = image.convert('RGB')
        small = image.resize(smaller(*image.size), Image.BILINEAR)
        left, top = (round((n - SIDE) / 2) for n in small.size)
        return np.asarray(small.crop((left, top, left + SIDE, top + SIDE)))


def torchcodec(path):
    import torch
    from torchcodec.decoders import decode_image
    torch.set_num_threads(1)
    image = decode_image(str(path))
    width, height = smaller(image.shape[2], image.shape[1])
    small = torch.nn.functional.interpolate(image[None], (height, width), mode='bilinear', antialias=True)[0]
    return square(small.permute(1, 2, 0).numpy())


def vips(path):
    import pyvips
    image = pyvips.Image.thumbnail(str(path), SIDE, height=SIDE, crop='centre', no_rotate=True)
    return np.asarray(image.numpy())[..., :3]


def spdl(path):
    import spdl.io
    packets = spdl.io.demux_image(str(path))
    width, height = smaller(packets.width, packets.height)
    desc = spdl.io.get_filter_desc(packets, scale_width=width, scale_height=height, scale_algo='bilinear', scale_mode=None, pix_fmt='rgb24')
    frames = spdl.io.decode_packets(packets, filter_desc=desc)
    return square(spdl.io.to_numpy(spdl.io.convert_frames(frames)))


def in_processes(one, paths, workers):
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        list(pool.map(one, paths[:8 * workers]))  # started and imported
        yield None
        yield from pool.map(one, paths, chunksize=16)


def in_threads(one, paths, workers):
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, paths[:8 * workers]))
        yield None
        yield from pool.map(one, paths)


def dali(paths, workers):
    from nvidia.dali import fn, pipeline_def, types
    batch = 32

    @pipeline_def(batch_size=batch, num_threads=workers, device_id=None, prefetch_queue_depth=2)
    def pipe():
        coded, _ = fn.readers.file(files=[str(p) for p in paths[:batch] + paths], prefetch_queue_depth=4)
        image = fn.decoders.image(coded, device='cpu', output_type=types.RGB)
        return fn.crop(fn.resize(image, resize_shorter=SIDE, interp_type=types.INTERP_LINEAR, antialias=True), crop=(SIDE, SIDE))
    running = pipe()
    running.build()
    running.run()  # the first batch is returned twice
    yield None
    for begin in range(0, len(paths), batch):
        for image, _ in zip(running.run()[0], paths[begin:begin + batch]):
            yield np.asarray(image)


# pyvips, SPDL and torchcodec release the interpreter's lock while they work, so their users use threads.
PEERS = {'pil': lambda paths, workers: in_processes(pil, paths, workers), 'torchcodec': lambda paths, workers: in_threads(torchcodec, paths, workers),
         'vips': lambda paths, workers: in_threads(vips, paths, workers), 'spdl': lambda paths, workers: in_threads(spdl, paths, workers), 'dali': dali}


def main():
    name, folder, workers = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3])
    paths = sorted(p for p in folder.rglob('*') if p.is_file())
    if '--exact' in sys.argv:
        paths = paths[:200]
        found = PEERS[name](paths, workers)
        next(found)
        worst = [int(np.abs(picture.astype(int) - pil(path)).max()) for path, picture in zip(paths, found)]
        print(f'{name}: {sum(w == 0 for w in worst)} of {len(worst)} records are those of Pillow; the others differ by up to {max(worst)}')
        return
    found = PEERS[name](paths, workers)
    next(found)
    begin, count = time.perf_counter(), 0
    with open(OUT, 'wb') as out:
        for picture in found:
            out.write(memoryview(np.ascontiguousarray(picture)).cast('B'))
            count += 1
    print(f'{count / (time.perf_counter() - begin):.1f} img/s ({count} images, {name}, {workers} workers)')


if __name__ == '__main__':
    main()
