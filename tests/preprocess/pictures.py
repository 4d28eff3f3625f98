"""Pictures of every kind that Pillow writes, and some that are broken on purpose."""
import io
import struct

import numpy as np
from PIL import Image, PngImagePlugin


def photo(width, height, channels=3, seed=0):
    """Smooth colour with an edge and some noise."""
    rng = np.random.default_rng(seed + 31 * width + height)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    waves = [np.sin(x / rng.uniform(5, 40) + k) + np.cos(y / rng.uniform(5, 40)) for k in range(channels)]
    pixels = 128 + 55 * np.stack(waves, -1) + rng.normal(0, 6, (height, width, channels)) + 40 * (x > y)[..., None]
    return np.clip(pixels, 0, 255).astype(np.uint8)


def exif_with(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _png_chunk(kind, data, crc=None):
    import zlib
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data) if crc is None else crc)


def with_png_chunk(png, chunk):
    """`chunk` right after IHDR."""
    return png[:33] + chunk + png[33:]


def encoded(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def make(folder):
    """Writes them; all are readable."""
    folder.mkdir(parents=True)
    rgb = Image.fromarray(photo(211, 157))
    rgba = Image.fromarray(photo(190, 260, 4))
    grey = Image.fromarray(photo(160, 200, 1)[..., 0])
    palette = rgb.quantize(61)
    files = {}

    for sampling in (0, 1, 2):
        for width, height in ((211, 157), (157, 400), (640, 130), (1, 40), (40, 1), (17, 16), (128, 128)):
            image = Image.fromarray(photo(width, height))
            files[f'{width}x{height}-{sampling}.jpg'] = encoded(image, 'JPEG', subsampling=sampling, quality=88)
    files['progressive.jpg'] = encoded(rgb, 'JPEG', progressive=True)
    files['restarts.jpg'] = encoded(Image.fromarray(photo(700, 300)), 'JPEG', restart_marker_rows=2)
    files['grey.jpg'] = encoded(grey, 'JPEG')
    files['cmyk.jpg'] = encoded(Image.fromarray(photo(150, 220, 4), 'CMYK'), 'JPEG')
    for orientation in range(10):
        files[f'turn{orientation}.jpg'] = encoded(rgb, 'JPEG', exif=exif_with(orientation))
        files[f'turn{orientation}.png'] = encoded(rgb, 'PNG', exif=exif_with(orientation))
        files[f'turn{orientation}.webp'] = encoded(rgb, 'WEBP', exif=exif_with(orientation))
    files['broken_exif.jpg'] = encoded(rgb, 'JPEG', exif=b'Exif\0\0II*\0\xff\xff\xff\x7f')
    files['broken_exif_entries.jpg'] = encoded(rgb, 'JPEG', exif=b'Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12')
    for kind in ('JPEG', 'PNG', 'WEBP'):
        files['broken_icc.' + kind.lower()] = encoded(rgb, kind, icc_profile=b'no profile at all' * 9)
    files['xmp.jpg'] = encoded(rgb, 'JPEG', xmp=b'<x tiff:Orientation="6"/>')
    files['xmp.webp'] = encoded(rgb, 'WEBP', xmp=b'<tiff:Orientation>8</tiff:Orientation>')
    text = PngImagePlugin.PngInfo()
    text.add_itxt('XML:com.adobe.xmp', '<x tiff:Orientation="3"/>')
    files['xmp.png'] = encoded(rgb, 'PNG', pnginfo=text)

    for name, image in dict(rgb=rgb, rgba=rgba, grey=grey, la=rgba.convert('LA'), one=grey.convert('1'), p=palette,
                            p2=rgb.quantize(2), p4=rgb.quantize(4), p16=rgb.quantize(16)).items():
        files[f'{name}.png'] = encoded(image, 'PNG')
    files['wide.png'] = encoded(Image.fromarray(photo(1500, 20)), 'PNG')
    files['i16.png'] = encoded(Image.fromarray(photo(90, 91, 1)[..., 0].astype(np.uint16) * 251 + 7), 'PNG')
    files['p_transparent.png'] = encoded(palette, 'PNG', transparency=5)
    files['p_alphas.png'] = encoded(palette, 'PNG', transparency=bytes(range(0, 244, 4)))
    files['rgb_transparent.png'] = encoded(rgb, 'PNG', transparency=rgb.getpixel((5, 5)))
    files['grey_transparent.png'] = encoded(grey, 'PNG', transparency=grey.getpixel((5, 5)))

    files['lossless.webp'] = encoded(rgb, 'WEBP', lossless=True)
    files['alpha.webp'] = encoded(rgba, 'WEBP')
    files['moving.webp'] = encoded(rgb, 'WEBP', save_all=True, append_images=[rgb.rotate(90), rgb.rotate(180)])
    files['plain.gif'] = encoded(palette, 'GIF', interlace=0)
    files['interlaced.gif'] = encoded(palette, 'GIF', interlace=1)
    files['grey.gif'] = encoded(grey, 'GIF')
    files['transparent.gif'] = encoded(palette, 'GIF', transparency=9)
    files['moving.gif'] = encoded(palette, 'GIF', save_all=True, append_images=[rgb.rotate(90).quantize(9)])
    for name, image in dict(rgb=rgb, grey=grey, p=palette, one=grey.convert('1')).items():
        files[f'{name}.bmp'] = encoded(image, 'BMP')
    files['rgb.ppm'] = encoded(rgb, 'PPM')
    files['rgb.tif'] = encoded(rgb, 'TIFF')
    files['rgb_lzw.tif'] = encoded(rgb, 'TIFF', compression='tiff_lzw')
    files['grey.tif'] = encoded(grey, 'TIFF')
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return sorted(files)


def make_broken(folder):
    """-> {name: the reason with which it must be rejected}."""
    folder.mkdir(parents=True)
    rgb = Image.fromarray(photo(300, 400))
    huge = struct.pack('>IIBBBBB', 60000, 60000, 8, 2, 0, 0, 0)
    png = encoded(rgb, 'PNG')
    jpeg = encoded(rgb, 'JPEG')
    bomb = bytearray(jpeg)
    frame = bomb.index(b'\xff\xc0')
    bomb[frame + 5:frame + 9] = b'\xfd\xe8\xfd\xe8'  # 65,000 per side; more is no JPEG to libjpeg
    gif = bytearray(encoded(rgb.quantize(8), 'GIF'))
    gif[6:10] = b'\xff\xff\xff\xff'
    cases = {
        'empty.jpg': (b'', 'not_a_picture'),
        'text.png': (b'hello, this is no picture', 'not_a_picture'),
        'cut.jpg': (jpeg[:len(jpeg) // 2], 'truncated'),
        'cut_below_the_crop.jpg': (jpeg[:len(jpeg) - 600], 'truncated'),
        'cut.png': (png[:len(png) // 2], 'truncated'),
        'cut_end.png': (png[:-6], 'truncated'),
        'cut.gif': (encoded(rgb.quantize(64), 'GIF')[:4000], 'truncated'),
        'bomb.png': (png[:8] + _png_chunk(b'IHDR', huge) + png[33:], 'too_large'),
        'bomb.jpg': (bytes(bomb), 'too_large'),
        'bomb.gif': (bytes(gif), 'too_large'),
        'bomb.ppm': (b'P6\n# so large\n60000\t60000 255\n' + bytes(100), 'too_large'),
        'bomb.bmp': (b'BM' + struct.pack('<IIIIiiHHIIiiII', 154, 0, 54, 40, 60000, -60000, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(100),
                     'too_large'),
        # OS/2 allows headers that end early; Pillow does not read this one.
        'os2_header_of_16.bmp': (b'BM' + struct.pack('<IIIIiiHH', 46, 0, 30, 16, 1, 4, 1, 24) + bytes(16), 'unsupported'),
        'upwards.hdr': (b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n+Y 9 +X 9\n' + bytes(4 * 81), 'unsupported'),
        'bomb.hdr': (b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 60000 +X 60000\n' + bytes(100), 'too_large'),
        'cut.hdr': (b'#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 90 +X 90\n' + bytes(100), 'corrupt'),
        'no_size.ppm': (b'P6\nwide high 255\n', 'corrupt'),
        'wrong_text_crc.png': (with_png_chunk(png, _png_chunk(b'tEXt', b'k\0v', crc=1)), 'corrupt'),
        'flipped.png': (png[:500] + bytes([png[500] ^ 255]) + png[501:], 'corrupt'),
        'head_only.jpg': (jpeg[:3], 'truncated'),
    }
    for name, (data, _) in cases.items():
        (folder / name).write_bytes(data)
    return {name: reason for name, (_, reason) in cases.items()}
