"""The record that a picture must become, computed with Pillow 12.0.0, which defines the results of gan-preprocess."""
import numpy as np
import PIL
from PIL import Image, ImageFile, ImageOps

assert PIL.__version__ in ('12.0.0', '13.0.0'), 'each version has to be looked at'
# Pillow 13 resizes tall pictures down before it resizes them across, which rounds differently. The definition is Pillow 12.
IS_LATER = PIL.__version__ != '12.0.0'
Image.MAX_IMAGE_PIXELS = None  # ours has --max-pixels
FILTERS = dict(bilinear=Image.BILINEAR, lanczos=Image.LANCZOS, box=Image.BOX)
WHITE = (255, 255, 255)


def upright(image):
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken metadata never fails a decodable picture
        return image


def to_rgb(image, background=WHITE):
    if image.mode.startswith('I;16'):
        grey = (np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8)
        return Image.fromarray(grey).convert('RGB')
    if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        return Image.alpha_composite(Image.new('RGBA', image.size, (*background, 255)), image).convert('RGB')
    return image.convert('RGB')


def resize_and_crop(image, size, filter_name):
    w, h = image.size
    to = (size, int(size * h / w)) if w <= h else (int(size * w / h), size)
    if to != image.size:
        image = image.resize(to, FILTERS[filter_name])
    left, top = int(round((to[0] - size) / 2.0)), int(round((to[1] - size) / 2.0))
    return np.asarray(image.crop((left, top, left + size, top + size)))


def is_comparable(image):
    """Whether this version of Pillow makes the pixels of the definition."""
    return not IS_LATER or image.height < 2 * image.width


def records(path, size, background=WHITE):
    """{(filter, exif): uint8 [size, size, 3]} of one file, None where it is not comparable; raises what Pillow raises."""
    with Image.open(path) as image:
        image.load()
        ignored = to_rgb(image, background)
        turned = upright(image)
        applied = to_rgb(turned, background)
        if applied.size == ignored.size and applied.tobytes() == ignored.tobytes():
            applied = ignored
    found = {}
    for name in FILTERS:
        found[name, 'ignore'] = resize_and_crop(ignored, size, name) if is_comparable(ignored) else None
        found[name, 'apply'] = (found[name, 'ignore'] if applied is ignored else
                                resize_and_crop(applied, size, name) if is_comparable(applied) else None)
    return found
