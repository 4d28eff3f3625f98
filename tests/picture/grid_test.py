"""Pillow reads our grids: every picture in its place, white between them. Argument: writer."""
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

with tempfile.TemporaryDirectory() as folder:
    for count, columns, rows in ((1, 1, 1), (8, 4, 2), (7, 4, 2), (3, 3, 1)):
        file = pathlib.Path(folder, 'grid.png')
        subprocess.run([sys.argv[1], file, str(count), str(columns)], check=True)
        image = Image.open(file)
        assert image.format == 'PNG' and image.mode == 'RGB', image
        pixels = np.asarray(image)
        expected = np.full(pixels.shape, 255, np.uint8)
        pitch = 4 + 2
        first = [(pixels.shape[1] - (columns * pitch - 2)) // 2, (pixels.shape[0] - (rows * pitch - 2)) // 2]
        for i in range(count):
            x, y = first[0] + i % columns * pitch, first[1] + i // columns * pitch
            expected[y:y + 4, x:x + 4] = ((48 * i + np.arange(48)) % 256).reshape(4, 4, 3)
        assert np.array_equal(pixels, expected), (count, columns, pixels.shape)
    done = subprocess.run([sys.argv[1], pathlib.Path(folder, 'none', 'grid.png'), '1', '1'], capture_output=True)
    assert done.returncode != 0 and b'none' in done.stderr, done
    assert [p.name for p in pathlib.Path(folder).iterdir()] == ['grid.png']
