"""Over 300 valid pictures of every format and kind that is read, made by other encoders: make(FOLDER).

Each file comes with how exactly its record must match Pillow's (EXACT or a number of levels), or with the reason why it
must not: where Pillow is wrong and the values that were written say so.
"""
import io
import pathlib
import struct
import subprocess
import sys
import tempfile

import imagecodecs
import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401  (registers itself)
import tifffile
from PIL import Image, PngImagePlugin, TiffImagePlugin

import pictures
from pictures import encoded, exif_with, photo

pillow_heif.register_heif_opener()

EXACT = 0


class Truth:
    """The pixels from which the record must be made where Pillow is wrong: uint8 [height, width, 3 or 4], and why."""

    def __init__(self, pixels, reason):
        self.pixels, self.reason = np.asarray(pixels, np.uint8), reason


def tool(*command, data=None):
    return subprocess.run([str(word) for word in command], input=data, check=True, capture_output=True).stdout


def grey(width, height, seed=0):
    return photo(width, height, 1, seed)[..., 0]


def spread(pixels):
    """uint8 -> uint16 over the whole range, with low bytes that matter."""
    return pixels.astype(np.uint16) * 257 ^ (np.arange(pixels.size, dtype=np.uint16).reshape(pixels.shape) * 7 % 250)


def tifffile_file(pixels, **options):
    out = io.BytesIO()
    tifffile.imwrite(out, pixels, metadata=None, **options)
    return out.getvalue()


def tiffs_of_pillow():
    rgb, rgba = Image.fromarray(photo(83, 61)), Image.fromarray(photo(71, 90, 4))
    one = Image.fromarray(grey(75, 64)).convert('1')
    images = {'rgb': rgb, 'grey': Image.fromarray(grey(64, 77)), 'p': rgb.quantize(47), 'one': one, 'rgba': rgba,
              'la': rgba.convert('LA'), 'cmyk': Image.fromarray(photo(60, 66, 4), 'CMYK'),
              'i16': Image.fromarray(spread(grey(50, 63))), 'i32': Image.fromarray(grey(50, 63).astype(np.int32) * 3 - 200),
              'float': Image.fromarray(grey(55, 60).astype(np.float32) * 1.7 - 60.3)}
    packings = [None, 'tiff_lzw', 'tiff_adobe_deflate', 'packbits', 'zstd', 'tiff_deflate', 'lzma']
    for name, image in images.items():
        for packing in packings:
            options = {'compression': packing} if packing else {}
            yield f'pillow-{name}-{packing or "raw"}', encoded(image, 'TIFF', **options), EXACT
    for packing in ('group3', 'group4', 'tiff_ccitt'):
        yield f'pillow-fax-{packing}', encoded(one, 'TIFF', compression=packing), EXACT
    for quality in (30, 90):
        for name in ('rgb', 'grey'):
            yield f'pillow-jpeg-{name}-{quality}', encoded(images[name], 'TIFF', compression='jpeg', quality=quality), EXACT
    for orientation in range(1, 9):
        info = TiffImagePlugin.ImageFileDirectory_v2()
        info[274] = orientation
        for packing in (None, 'tiff_lzw'):
            options = {'compression': packing} if packing else {}
            yield f'pillow-turn{orientation}-{packing}', encoded(rgb, 'TIFF', tiffinfo=info, **options), EXACT
        yield f'pillow-turn{orientation}-la', encoded(images['la'], 'TIFF', tiffinfo=info), EXACT
    yield 'pillow-big', encoded(rgb, 'TIFF', big_tiff=True), EXACT
    yield 'pillow-big-la', encoded(images['la'], 'TIFF', big_tiff=True), EXACT
    yield 'pillow-pages', encoded(rgb, 'TIFF', save_all=True, append_images=[rgb.rotate(90)]), EXACT


def tiffs_of_tifffile():
    rgb, rgba = photo(93, 66), photo(70, 85, 4)
    black = photo(67, 70, 4)
    for order in '<>':
        for name, data in (('rgb', rgb), ('rgb16', spread(rgb)), ('grey', grey(64, 70)), ('grey16', spread(grey(61, 70)))):
            kind = 'rgb' if 'rgb' in name else 'minisblack'
            for tile in (None, (32, 48)):
                for packing in (None, 'lzw', 'zlib', 'packbits', 'zstd'):
                    if packing == 'packbits' and data.dtype != np.uint8:
                        continue
                    expected = EXACT
                    yield (f'tifffile-{name}-{ord(order)}-{"tiles" if tile else "strips"}-{packing}',
                           tifffile_file(data, byteorder=order, photometric=kind, tile=tile, compression=packing, rowsperstrip=None if tile else 13),
                           expected)
            if packing and name.startswith('rgb'):
                yield (f'tifffile-{name}-{ord(order)}-predictor',
                       tifffile_file(data, byteorder=order, photometric=kind, compression='zlib', predictor=True), EXACT)
        yield (f'tifffile-big-{ord(order)}', tifffile_file(rgb, byteorder=order, bigtiff=True, photometric='rgb'),
               EXACT if order == '<' else Truth(rgb, 'Pillow does not know a big-endian BigTIFF'))
        for alpha in ('unassalpha', 'assocalpha', 'unspecified'):
            yield f'tifffile-rgba-{alpha}-{ord(order)}', tifffile_file(rgba, byteorder=order, photometric='rgb', extrasamples=[alpha]), EXACT
            yield (f'tifffile-rgba16-{alpha}-{ord(order)}',
                   tifffile_file(spread(rgba), byteorder=order, photometric='rgb', extrasamples=[alpha]), EXACT)
        yield f'tifffile-la-{ord(order)}', tifffile_file(rgba[..., :2], byteorder=order, photometric='minisblack', planarconfig='contig', extrasamples=['unassalpha']), EXACT
        yield f'tifffile-cmyk-{ord(order)}', tifffile_file(black, byteorder=order, photometric='separated'), EXACT
        yield f'tifffile-cmyk16-{ord(order)}', tifffile_file(spread(black), byteorder=order, photometric='separated'), EXACT
        for name, data in (('float', grey(60, 64).astype(np.float32) * 1.3 - 20), ('int16', grey(60, 64).astype(np.int16) * 3 - 99),
                           ('int32', grey(60, 64).astype(np.int32) * 3 - 99)):
            yield f'tifffile-{name}-{ord(order)}', tifffile_file(data, byteorder=order, photometric='minisblack'), EXACT
        yield f'tifffile-white-{ord(order)}', tifffile_file(grey(60, 64), byteorder=order, photometric='miniswhite'), EXACT
        yield (f'tifffile-white16-{ord(order)}', tifffile_file(spread(grey(60, 64)), byteorder=order, photometric='miniswhite'),
               Truth((65535 - spread(grey(60, 64))) >> 8, 'Pillow takes the white that is 0 for black at 16 bits'))
    planes = np.moveaxis(rgb, -1, 0)
    for packing in (None, 'lzw', 'zlib'):
        yield f'tifffile-planar-{packing}', tifffile_file(planes, photometric='rgb', planarconfig='separate', compression=packing), EXACT
    yield 'tifffile-planar16-lzw', tifffile_file(spread(planes), photometric='rgb', planarconfig='separate', compression='lzw'), EXACT
    yield ('tifffile-planar16-raw', tifffile_file(spread(planes), photometric='rgb', planarconfig='separate'),
           Truth(np.moveaxis(spread(planes) >> 8, 0, -1), 'Pillow makes noise of planes of 16 bits that are not compressed'))
    colours = np.stack([np.roll(np.arange(256, dtype=np.uint16) * 251, k * 40) for k in range(3)])
    yield 'tifffile-palette', tifffile_file(grey(64, 70), photometric='palette', colormap=colours), EXACT
    for bits in (1, 2, 4):
        small = grey(66, 61) >> (8 - bits)
        yield f'packed-bits{bits}', packed_grey(small, bits), EXACT
    twelve = (grey(66, 60).astype(np.uint16) << 4) | 9
    yield 'packed-bits12', packed_grey(twelve, 12), Truth(twelve >> 4, 'Pillow keeps 12 bits as the lowest of 16, nearly black')
    for sampling in ('444', '422', '420'):
        yield f'tifffile-jpeg-{sampling}', tifffile_file(rgb, photometric='ycbcr' if sampling != '444' else 'rgb', compression='jpeg',
                                                        compressionargs={'level': 88}, subsampling=None if sampling == '444' else
                                                        {'422': (2, 1), '420': (2, 2)}[sampling]), EXACT


def packed_grey(values, bits):
    """A TIFF of samples of `bits` bits, rows padded to bytes; no encoder at hand packs them."""
    rows = [np.unpackbits(row.astype('>u2').view(np.uint8).reshape(-1, 2), axis=1)[:, 16 - bits:].ravel() for row in values]
    data = b''.join(np.packbits(row).tobytes() for row in rows)
    height, width = values.shape
    tags = [(256, 3, width), (257, 3, height), (258, 3, bits), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1), (278, 3, height),
            (279, 4, len(data))]
    directory = struct.pack('<H', len(tags)) + b''.join(
        struct.pack('<HHI', tag, kind, 1) + struct.pack('<I', value) for tag, kind, value in tags) + bytes(4)
    data += bytes(len(data) % 2)
    return b'II*\0' + struct.pack('<I', 8 + len(data)) + data + directory


def tiffs_of_libtiff(folder):
    """tiffcp and ppm2tiff, libtiff's own tools."""
    rgb = folder / 'source.ppm'
    Image.fromarray(photo(88, 65)).save(rgb)
    (folder / 'source.pbm').write_bytes(encoded(Image.fromarray(grey(80, 66)).convert('1'), 'PPM'))
    tool('ppm2tiff', '-c', 'none', rgb, folder / 'plain.tif')
    tool('ppm2tiff', '-c', 'none', folder / 'source.pbm', folder / 'bits.tif')
    for name, flags in {'lzw': ['-c', 'lzw'], 'lzw-predictor': ['-c', 'lzw:2'], 'zip-tiles': ['-c', 'zip', '-t', '-w', '32', '-l', '16'],
                        'planar': ['-p', 'separate', '-c', 'none'], 'planar-lzw': ['-p', 'separate', '-c', 'lzw'], 'big-endian': ['-B'],
                        'bigtiff': ['-8'], 'jpeg': ['-c', 'jpeg:80', '-r', '16'], 'jpeg-rgb': ['-c', 'jpeg:r:80', '-r', '16'], 'packbits': ['-c', 'packbits'],
                        'rows1': ['-r', '1'], 'planar-tiles': ['-p', 'separate', '-t', '-w', '32', '-l', '32', '-c', 'zip']}.items():
        tool('tiffcp', *flags, folder / 'plain.tif', folder / 'out.tif')
        yield f'tiffcp-{name}', (folder / 'out.tif').read_bytes(), EXACT
    for name, flags in {'g3': ['-c', 'g3'], 'g3-2d': ['-c', 'g3:2d'], 'g3-fill': ['-c', 'g3:2d:fill'], 'g4': ['-c', 'g4'],
                        'g4-lsb': ['-c', 'g4', '-f', 'lsb2msb'], 'bits-lsb': ['-c', 'none', '-f', 'lsb2msb']}.items():
        tool('tiffcp', *flags, folder / 'bits.tif', folder / 'out.tif')
        yield f'tiffcp-{name}', (folder / 'out.tif').read_bytes(), EXACT


def tiffs():
    with tempfile.TemporaryDirectory() as scratch:
        for source in (tiffs_of_pillow(), tiffs_of_tifffile(), tiffs_of_libtiff(pathlib.Path(scratch))):
            for name, data, expected in source:
                yield name + '.tif', data, expected


def bmp(header, pixels, palette=b'', masks=b'', size=None):
    offset = 14 + len(header) + len(masks) + len(palette)
    return b'BM' + struct.pack('<IHHI', offset + len(pixels), 0, 0, offset) + header + masks + palette + pixels


def info_header(width, height, bits, compression=0, bytes_=0, colours=0, size=40, masks=b''):
    head = struct.pack('<IiiHHIIiiII', size, width, height, 1, bits, compression, bytes_, 2835, 2835, colours, 0)
    return head + masks + bytes(size - 40 - len(masks))


def padded_rows(rows, upside_down=True):
    rows = [row + bytes(-len(row) % 4) for row in rows]
    return b''.join(reversed(rows) if upside_down else rows)


def run_lengths(indices, bits, rng):
    """Rows of runs and literals, each ended; from the bottom."""
    out = bytearray()
    for row in indices[::-1]:
        at = 0
        while at < len(row):
            run = 1
            while at + run < len(row) and run < 255 and row[at + run] == row[at]:
                run += 1
            rest = len(row) - at
            if run == 1 and rest >= 4:  # shorter ones would be commands
                count = int(min(rest, rng.integers(4, 20)))
                count = count // 2 * 2 if bits == 4 and count > 3 else count  # Pillow loses the last pixel of odd ones
                part = row[at:at + count]
                data = bytes(part) if bits == 8 else bytes(int(a) << 4 | int(b) for a, b in zip(part[::2], part[1::2]))
                out += bytes([0, count]) + data + bytes(len(data) % 2)
                at += count
            else:
                out += bytes([run, row[at] if bits == 8 else int(row[at]) * 17])
                at += run
        out += b'\0\0'
    return bytes(out + b'\0\1')


def bmps():
    rng = np.random.default_rng(5)
    rgb = photo(61, 47)
    height, width = rgb.shape[:2]
    for name, image in dict(rgb=Image.fromarray(rgb), grey=Image.fromarray(grey(63, 50)), p=Image.fromarray(rgb).quantize(50),
                            one=Image.fromarray(grey(63, 50)).convert('1'), rgba=Image.fromarray(photo(44, 50, 4))).items():
        yield f'pillow-{name}', encoded(image, 'BMP'), EXACT
    ppm = encoded(Image.fromarray(rgb), 'PPM')
    few = encoded(Image.fromarray(rgb).quantize(13).convert('RGB'), 'PPM')
    for name, flags in {'windows24': ['-windows', '-bpp=24'], 'os2-24': ['-os2', '-bpp=24']}.items():
        yield f'netpbm-{name}', tool('ppmtobmp', *flags, data=ppm), EXACT
    for name, flags in {'windows8': ['-windows', '-bpp=8'], 'os2-8': ['-os2', '-bpp=8'], 'windows4': ['-windows', '-bpp=4'],
                        'os2-4': ['-os2', '-bpp=4']}.items():
        yield f'netpbm-{name}', tool('ppmtobmp', *flags, data=few), EXACT
    five = [(row[:, 0].astype(np.uint16) >> 3 << 10 | row[:, 1].astype(np.uint16) >> 3 << 5 | row[:, 2] >> 3).astype('<u2').tobytes() for row in rgb]
    six = [(row[:, 0].astype(np.uint16) >> 3 << 11 | row[:, 1].astype(np.uint16) >> 2 << 5 | row[:, 2] >> 3).astype('<u2').tobytes() for row in rgb]
    masks565, masks555 = struct.pack('<III', 0xF800, 0x7E0, 0x1F), struct.pack('<III', 0x7C00, 0x3E0, 0x1F)
    yield '555', bmp(info_header(width, height, 16), padded_rows(five)), EXACT
    yield '555-top-down', bmp(info_header(width, -height, 16), padded_rows(five, False)), EXACT
    for size in (40, 52, 56, 108, 124):
        after = size == 40
        for name, rows, masks in (('555', five, masks555), ('565', six, masks565)):
            head = info_header(width, height, 16, 3, size=size, masks=b'' if after else masks)
            yield f'fields-{name}-{size}', bmp(head, padded_rows(rows), masks=masks if after else b''), EXACT
        four = np.dstack([rgb[..., ::-1], np.full(rgb.shape[:2], 77, np.uint8)])
        orders = {'bgrx': ((0xFF0000, 0xFF00, 0xFF), four), 'xbgr': ((0xFF000000, 0xFF0000, 0xFF00), np.roll(four, 1, -1))}
        for name, (masks, data) in orders.items():
            packed = struct.pack('<III', *masks)
            head = info_header(width, height, 32, 3, size=size, masks=b'' if after else packed)
            yield f'fields-{name}-{size}', bmp(head, padded_rows([r.tobytes() for r in data]), masks=packed if after else b''), EXACT
    alpha = photo(40, 37, 4)
    for size in (56, 108, 124):
        for name, masks, order in (('bgra', (0xFF0000, 0xFF00, 0xFF, 0xFF000000), [2, 1, 0, 3]),
                                   ('rgba', (0xFF, 0xFF00, 0xFF0000, 0xFF000000), [0, 1, 2, 3]),
                                   ('abgr', (0xFF000000, 0xFF0000, 0xFF00, 0xFF), [3, 2, 1, 0])):
            head = info_header(40, 37, 32, 3, size=size, masks=struct.pack('<IIII', *masks))
            yield f'fields-{name}-{size}', bmp(head, padded_rows([r.tobytes() for r in alpha[..., order]])), EXACT
    yield '32', bmp(info_header(width, height, 32), padded_rows([r.tobytes() for r in four])), EXACT
    yield '32-top-down', bmp(info_header(width, -height, 32), padded_rows([r.tobytes() for r in four], False)), EXACT
    colours = rng.integers(0, 256, (256, 4), np.uint8)
    for w in (60, 61, 63, 64):
        flat = rng.integers(0, 256, (40, w), np.uint8) if w % 2 else np.repeat(rng.integers(0, 256, (40, w // 4), np.uint8), 4, 1)
        data = run_lengths(flat, 8, rng)
        yield f'rle8-{w}', bmp(info_header(w, 40, 8, 1, len(data)), data, colours.tobytes()), EXACT
        nibbles = flat & 15
        data = run_lengths(nibbles, 4, rng)
        yield f'rle4-{w}', bmp(info_header(w, 40, 4, 2, len(data)), data, colours[:16].tobytes()), EXACT
    rows = [np.packbits(row).tobytes() for row in grey(51, 40) & 1]
    yield 'bits1', bmp(info_header(51, 40, 1), padded_rows(rows), colours[:2].tobytes()), EXACT
    yield 'os2-core-1', bmp(struct.pack('<IHHHH', 12, 51, 40, 1, 1), padded_rows(rows), colours[:2, :3].tobytes()), EXACT
    yield 'os2-v2-24', bmp(info_header(width, height, 24, size=64), padded_rows([r.tobytes() for r in rgb[..., ::-1]])), EXACT


def pnms():
    rgb, low = photo(53, 47), grey(57, 44)
    for maximum in (1, 3, 15, 100, 127, 254, 255, 256, 1000, 1023, 4095, 32767, 65535):
        wide = '>u2' if maximum > 255 else np.uint8
        for kind, values in ((5, low), (6, rgb)):
            data = (values.astype(np.uint64) * maximum // 255).astype(wide)
            head = f'P{kind}\n# by hand\n{data.shape[1]} {data.shape[0]}\n{maximum}\n'.encode()
            expected = EXACT
            if kind == 5 and maximum > 255:
                scaled = np.rint(data.astype(float) / maximum * 65535).astype(np.uint32) >> 8
                expected = Truth(scaled, 'Pillow cuts off grey of more than 8 bits at 255')
            yield f'P{kind}-{maximum}', head + data.tobytes(), expected
            plain = tool('pnmtoplainpnm', data=head + data.tobytes())
            yield f'P{kind - 3}-{maximum}', plain, expected
    bits = encoded(Image.fromarray(low).convert('1'), 'PPM')
    yield 'P4', bits, EXACT
    yield 'P1', tool('pnmtoplainpnm', data=bits), EXACT
    yield 'P1-dense', b'P1 # comment\n7 5\n' + b'0110100' * 2 + b'\n#more\n1111111' + b' 0 1 0 1 0 1 0' + b'0000000', EXACT


def webps():
    with tempfile.TemporaryDirectory() as scratch:
        yield from webps_of_libwebp(pathlib.Path(scratch))


def webps_of_libwebp(folder):
    rgb, rgba = Image.fromarray(photo(90, 70)), Image.fromarray(photo(70, 90, 4))
    for lossless in (False, True):
        for name, image in (('rgb', rgb), ('rgba', rgba)):
            yield f'{name}-{lossless}', encoded(image, 'WEBP', lossless=lossless, quality=70), EXACT
    for orientation in range(1, 9):
        yield f'turn{orientation}', encoded(rgb, 'WEBP', exif=exif_with(orientation)), EXACT
    for name, image in (('rgb', rgb), ('rgba', rgba)):
        for lossless in ('', '-lossless'):
            frame = folder / 'frame.webp'
            frame.write_bytes(encoded(image, 'WEBP', lossless=bool(lossless)))
            # The first frame covers a part of the canvas, which the second one makes larger.
            larger = folder / 'larger.webp'
            larger.write_bytes(encoded(Image.fromarray(photo(150, 140)), 'WEBP'))
            made = folder / 'made.webp'
            tool('webpmux', '-frame', frame, '+100+20+30+0+b', '-frame', larger, '+100+0+0', '-loop', '0', '-bgcolor', '255,200,30,90', '-o', made)
            yield f'first-frame-with-an-offset-{name}{lossless}', made.read_bytes(), EXACT
    yield 'moving', encoded(rgb, 'WEBP', save_all=True, append_images=[rgb.rotate(90)]), EXACT


def pngs():
    rgb = Image.fromarray(photo(80, 60))
    for orientation in range(1, 9):
        yield f'turn{orientation}', encoded(rgb, 'PNG', exif=exif_with(orientation)), EXACT
        raw = b'Exif\0\0' + exif_with(orientation).tobytes()[6:] if exif_with(orientation).tobytes().startswith(b'Exif') else exif_with(orientation).tobytes()
        text = PngImagePlugin.PngInfo()
        text.add_text('Raw profile type exif', f'\nexif\n{len(raw):8d}\n{raw.hex()}\n', zip=orientation % 2 == 0)
        yield f'profile{orientation}', encoded(rgb, 'PNG', pnginfo=text), EXACT


def jpegs():
    rgb = photo(90, 70)
    for sampling in ('444', '422', '420', '440', '411'):
        yield f'sampling-{sampling}', imagecodecs.jpeg8_encode(rgb, level=85, subsampling=sampling), EXACT


def avifs():
    rgb, rgba = photo(90, 70), photo(70, 90, 4)
    for quality in (30, 60, 90, 100):
        for sampling in ('4:2:0', '4:2:2', '4:4:4'):
            yield f'rgb-{quality}-{sampling[2:]}', encoded(Image.fromarray(rgb), 'AVIF', quality=quality, subsampling=sampling), EXACT
        yield f'rgba-{quality}', encoded(Image.fromarray(rgba), 'AVIF', quality=quality), EXACT
    yield 'grey', encoded(Image.fromarray(rgb), 'AVIF', subsampling='4:0:0'), EXACT
    for orientation in range(1, 9):
        yield f'turn{orientation}', encoded(Image.fromarray(rgb), 'AVIF', exif=exif_with(orientation)), EXACT
    for bits in (10, 12):
        for level in (60, 95):
            data = spread(rgb) >> (16 - bits)
            yield f'bits{bits}-{level}', imagecodecs.avif_encode(data, level=level, bitspersample=bits, pixelformat='420'), 3
            yield f'bits{bits}-{level}-444', imagecodecs.avif_encode(data, level=level, bitspersample=bits, pixelformat='444'), 3
    for tiles in ((1, 1), (2, 1), (1, 2)):
        yield f'tiles{tiles[0]}{tiles[1]}', encoded(Image.fromarray(photo(300, 280)), 'AVIF', tile_rows=tiles[0], tile_cols=tiles[1]), EXACT
    moving = Image.fromarray(rgb)
    yield 'moving', encoded(moving, 'AVIF', save_all=True, append_images=[moving.rotate(90)]), EXACT
    yield 'premultiplied', encoded(Image.fromarray(rgba), 'AVIF', alpha_premultiplied=True), EXACT


def heics():
    rgb, rgba = Image.fromarray(photo(96, 72)), Image.fromarray(photo(72, 90, 4))
    for quality in (30, 60, 90, -1):
        for chroma in ('420', '422', '444'):
            yield f'rgb-{quality}-{chroma}', encoded(rgb, 'HEIF', quality=quality, chroma=chroma), EXACT
        yield f'rgba-{quality}', encoded(rgba, 'HEIF', quality=quality), EXACT
    yield 'grey', encoded(Image.fromarray(grey(80, 60)), 'HEIF'), EXACT
    for orientation in range(1, 9):
        yield f'turn{orientation}', encoded(rgb, 'HEIF', exif=exif_with(orientation)), EXACT
    yield 'odd', encoded(Image.fromarray(photo(77, 63)), 'HEIF', quality=80), EXACT
    yield 'large', encoded(Image.fromarray(photo(700, 500)), 'HEIF', quality=60), EXACT
    yield 'several', encoded(rgb, 'HEIF', save_all=True, append_images=[rgba]), EXACT


def jxls():
    rgb, rgba = Image.fromarray(photo(90, 70)), Image.fromarray(photo(70, 90, 4))
    for name, image in (('rgb', rgb), ('rgba', rgba), ('grey', Image.fromarray(grey(80, 60)))):
        yield f'lossless-{name}', encoded(image, 'JXL', lossless=True), EXACT
        for quality in (50, 80, 95):
            yield f'{name}-{quality}', encoded(image, 'JXL', quality=quality), 1
    jpeg = encoded(rgb, 'JPEG', quality=85)
    # The plugin restores the JPEG and lets libjpeg decode it, whose rounding and upsampling differ.
    yield 'from-jpeg', imagecodecs.jpegxl_encode_jpeg(jpeg), 2
    sixteen = spread(photo(70, 50))
    yield 'lossless16', imagecodecs.jpegxl_encode(sixteen, lossless=True), 1
    for orientation in range(1, 9):
        expected = Truth(rgb, 'the plugin turns by EXIF, which counts for nothing in a JPEG XL') if orientation > 1 else EXACT
        yield f'turn{orientation}', encoded(rgb, 'JXL', lossless=True, exif=exif_with(orientation).tobytes()), expected


def jpeg2000s():
    rgb, rgba = Image.fromarray(photo(90, 70)), Image.fromarray(photo(70, 90, 4))
    for name, image in (('rgb', rgb), ('rgba', rgba), ('grey', Image.fromarray(grey(80, 60)))):
        for lossy in (False, True):
            options = dict(irreversible=True, quality_mode='rates', quality_layers=[8]) if lossy else {}
            for plain in (False, True):
                yield f'{name}-{"lossy" if lossy else "lossless"}.{"j2k" if plain else "jp2"}', encoded(image, 'JPEG2000', no_jp2=plain, **options), EXACT
    yield 'tiles.jp2', encoded(rgb, 'JPEG2000', tile_size=(32, 32)), EXACT
    yield 'grey16.jp2', encoded(Image.fromarray(spread(grey(60, 66))), 'JPEG2000'), EXACT


def sun_rasters():
    ppm = encoded(Image.fromarray(photo(70, 60)), 'PPM')
    pgm = encoded(Image.fromarray(grey(70, 60)), 'PPM')
    for name, data in (('rgb', ppm), ('grey', pgm)):
        for flags in ([], ['-standard']):
            yield f'{name}{"".join(flags)}', tool('pnmtorast', *flags, data=data), EXACT


def radiance_hdrs():
    """Bytes of a mantissa for each colour and one exponent for all; 1 is white, and what is brighter is cut off."""
    light = photo(70, 60).astype(np.float32) ** 2 / 255 ** 2 * np.float32(1.4) + np.float32(0.002)
    for name, pixels in (('photo', light), ('narrow', light[:, :7]), ('dark', light / 64), ('black', light * 0)):
        coded = imagecodecs.rgbe_encode(pixels, header=True)
        head, rows = coded[:coded.index(b'-Y')], coded[coded.index(b'-Y'):]
        flat = rows[:rows.index(b'\n') + 1] + imagecodecs.rgbe_encode(pixels, header=False, rle=False)
        values = np.floor(np.clip(imagecodecs.rgbe_decode(coded), 0, 1) * 255 + 0.5)
        expected = Truth(values, 'Pillow does not read Radiance HDR; the values are those of imagecodecs')
        for kind, data in (('rows', head + rows), ('flat', head + flat), ('old-name', b'#?RGBE' + head[len('#?RADIANCE'):] + rows),
                           ('more-lines', head.replace(b'FORMAT', b'# a comment\nSOFTWARE=other\nFORMAT') + rows)):
            yield f'{name}-{kind}', data, expected


# Formats that our own decoders read; tests/fuzz starts from these files.
OWN = {'bmp': ('.bmp', bmps), 'pnm': ('.pnm', pnms), 'sun': ('.ras', sun_rasters)}
FORMATS = {'tiff': ('', tiffs), 'webp': ('.webp', webps), 'png': ('.png', pngs), 'jpeg': ('.jpg', jpegs), 'avif': ('.avif', avifs),
           'heic': ('.heic', heics), 'jxl': ('.jxl', jxls), 'jp2': ('', jpeg2000s), 'hdr': ('.hdr', radiance_hdrs), **OWN}


def files():
    """(name, bytes, expected)."""
    for kind, (extension, source) in FORMATS.items():
        yield from ((f'{kind}/{n}{extension}', d, e) for n, d, e in source())


def make(folder):
    """Writes the files. Returns {name: expected}."""
    made = {}
    for name, data, expected in files():
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        made[name] = expected
    return made


if __name__ == '__main__':
    found = make(sys.argv[1])
    print(len(found), 'files')
