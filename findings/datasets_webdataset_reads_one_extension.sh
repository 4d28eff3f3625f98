#!/usr/bin/env bash
# Hugging Face datasets 5.2.0 (PyPI wheel): load_dataset('webdataset') takes the names of the files of the first five samples, of
# the first tar, and leaves out every file with another extension, without an error or a warning. Of a set whose pictures are
# .jpg in one tar and .png in the next, all the PNGs are None. webdataset 1.0.2 delivers all of them.
#
# The guess before it was run: the columns are those of all samples, or a sample that does not fit is refused, as it is
# among the first five.
#
# The reason: the columns are inferred from five samples, and what is not among them is dropped; fields that a sample lacks
# become None.
#
# What follows for users: rows without a picture, or captions that nobody sees because the first five pictures have none. The
# count of rows is right, so it shows nothing. The extensions .jpeg and .JPG are others than .jpg. Give all files of a kind
# one extension, pass features=Features({...}) with all of them, or count what is not None.
#
# What was seen, as the columns, and the rows that have a picture or a caption:
#   a tar of 6 .jpg, a tar of 6 .png             cls, jpg      12 rows, 6 pictures
#   the same, the other tar first                cls, png      12 rows, 6 pictures
#   5 .jpg, then 4 .png in one tar               cls, jpg       9 rows, 5 pictures
#   4 .jpg, then 5 .png in one tar               ValueError
#   6 .jpg, then a .jpeg and a .JPG              cls, jpg       8 rows, 6 pictures
#   8 .jpg, a .txt beside each but 5             jpg            8 rows, 8 pictures, no caption
#   webdataset, 5 .jpg, then 4 .png              all 9 pictures
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 130 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile datasets==5.2.0 pyarrow==26.0.1 numpy==2.4.6 \
  pandas==3.1.1 pillow==12.0.0 webdataset==1.0.2

cat >"$folder/read.py" <<'PYTHON'
import io
import sys
import tarfile

import webdataset
from datasets import disable_progress_bars, load_dataset
from PIL import Image

disable_progress_bars()


def picture(extension):
    file = io.BytesIO()
    Image.new('RGB', (4, 4)).save(file, 'PNG' if extension == 'png' else 'JPEG')
    return file.getvalue()


def write(path, extensions, captions_from=None):
    """A picture of each extension, with a class beside it, or with captions beside the later ones."""
    with tarfile.open(path, 'w') as tar:
        for number, extension in enumerate(extensions):
            beside = [('cls', b'1')] if captions_from is None else [('txt', b'a coat')] if number >= captions_from else []
            for name, data in [(extension, picture(extension)), *beside]:
                entry = tarfile.TarInfo(f'{number:03}.{name}')
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
    return path


def read(name, *paths):
    found = []
    for streaming in (False, True):
        try:
            data = load_dataset('webdataset', data_files=list(paths), split='train', cache_dir='cache', streaming=streaming)
            columns = sorted(column for column in data.features if not column.startswith('__'))
            rows = [{column for column in columns if row[column] is not None} for row in data]
            found.append((columns, len(rows), sum(bool({'jpg', 'png'} & row) for row in rows)))
        except ValueError:
            found.append('ValueError')
    print(f'{name:36}', found[0])
    assert found[0] == found[1], 'a stream differs'
    return found[0]


jpegs, pngs = write('jpg.tar', ['jpg'] * 6), write('png.tar', ['png'] * 6)
mixed = write('mixed.tar', ['jpg'] * 5 + ['png'] * 4)
seen = [read('6 .jpg, 6 .png', jpegs, pngs),
        read('6 .png, 6 .jpg', pngs, jpegs),
        read('5 .jpg, then 4 .png', mixed),
        read('4 .jpg, then 5 .png', write('early.tar', ['jpg'] * 4 + ['png'] * 5)),
        read('6 .jpg, .jpeg, .JPG', write('jpeg.tar', ['jpg'] * 6 + ['jpeg', 'JPG'])),
        read('8 .jpg, 3 captions', write('captions.tar', ['jpg'] * 8, captions_from=5))]
delivered = sum(bool({'jpg', 'png'} & set(sample)) for sample in webdataset.WebDataset(mixed, shardshuffle=False))
print('webdataset, 5 .jpg, then 4 .png:', delivered, 'pictures')
sys.exit(0 if delivered == 9 and seen == [
    (['cls', 'jpg'], 12, 6), (['cls', 'png'], 12, 6), (['cls', 'jpg'], 9, 5), 'ValueError', (['cls', 'jpg'], 8, 6),
    (['jpg'], 8, 8)] else 1)
PYTHON
cd "$folder"
HF_HOME="$folder/home" HF_HUB_OFFLINE=1 venv/bin/python -W ignore read.py 2>/dev/null
