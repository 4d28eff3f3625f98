"""Other programs read our checkpoint: the safetensors package, and numpy as docs/checkpoint-format.md says. Arguments:
writer, page."""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import safetensors.numpy

writer, page = sys.argv[1], pathlib.Path(sys.argv[2]).read_text()
snippet, = re.findall(r'```python\n(.*?)```', page, re.S)
exec(snippet)
with tempfile.TemporaryDirectory() as root:
    subprocess.run([writer, root, '12'], check=True)
    folder = pathlib.Path(root, 'step-00000012')
    part = folder / 'part-00000-of-00001.safetensors'
    for tensors in (safetensors.numpy.load_file(part), read_checkpoint(folder)):
        assert set(tensors) == {'d.weight', 'g.count'}, tensors
        assert np.array_equal(tensors['d.weight'], np.arange(1, 7, dtype=np.float32).reshape(2, 3)), tensors
        assert tensors['g.count'].shape == () and tensors['g.count'].dtype == np.int64 and tensors['g.count'] == 7
    shown = bytes.fromhex(re.search(r'```hex\n(.*?)```', page, re.S).group(1))
    assert shown == part.read_bytes(), f'the page shows\n{shown}\nthe writer writes\n{part.read_bytes()}'
    shown = json.loads(re.search(r'```json\n(.*?)```', page, re.S).group(1))
    assert shown == json.loads((folder / 'manifest.json').read_text()), shown
