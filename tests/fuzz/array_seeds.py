"""Writes headers of every kind, from which fuzzing starts. Argument: folder."""
import io
import pathlib
import struct
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
arrays = {'nhwc': np.zeros((2, 8, 8, 3), np.uint8), 'nchw': np.zeros((2, 3, 8, 8), np.uint8), 'grey': np.zeros((2, 8, 8), np.uint8),
          'numbers': np.arange(5), 'column': np.arange(4, dtype='>i2')[:, None], 'floats': np.zeros(3), 'objects': np.zeros((1, 1), '<U3'),
          'fortran': np.asfortranarray(np.zeros((2, 8, 8, 3), np.uint8)), 'fields': np.zeros(2, [('a', 'u1'), ('b', '<i4')])}
for name, array in arrays.items():
    for version in ((1, 0), (2, 0), (3, 0)):
        out = io.BytesIO()
        np.lib.format.write_array(out, array, version)
        (folder / f'{name}-{version[0]}').write_bytes(out.getvalue())
for code in (8, 9, 11, 12, 13):
    (folder / f'idx1-{code}').write_bytes(struct.pack('>HBBI', 0, code, 1, 4) + bytes(32))
(folder / 'idx3').write_bytes(struct.pack('>HBBIII', 0, 8, 3, 2, 8, 8) + bytes(128))
