"""The numpy reader on the format's page reads a shard that our writer wrote. Arguments: writer, page."""
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np

writer, page = sys.argv[1:]
snippet, _ = re.findall(r'```python\n(.*?)```', pathlib.Path(page).read_text(), re.S)
exec(snippet)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([writer, folder], check=True)
    shards = list(read_folder(folder))
    assert len(shards) == 2, shards
    for number, (pictures, index) in enumerate(shards):
        expected = ((50 * np.arange(3)[:, None] + np.arange(192)) % 256).astype(np.uint8).reshape(3, 8, 8, 3)
        assert np.array_equal(pictures, expected), pictures
        assert index['label'].tolist() == [0, 1, 2] and index['input'].tolist() == [4 * number + i for i in range(3)]
        raw = pathlib.Path(folder, f'shard-{number:05}.gan').read_bytes()
        names = raw[len(raw) - int(index['name_bytes'].sum()):]
        assert names == b'a.pngcat/\xff.jpg', names
