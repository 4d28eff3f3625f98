"""The PyTorch reader on the format's page reads shards that our writer wrote. Arguments: writer, page."""
import pathlib
import re
import subprocess
import sys
import tempfile

import numpy as np
import torch

writer, page = sys.argv[1:]
numpy_reader, torch_reader = re.findall(r'```python\n(.*?)```', pathlib.Path(page).read_text(), re.S)
exec(numpy_reader)
exec(torch_reader)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([writer, folder], check=True)
    data = Shards(folder)
    assert len(data) == 6, len(data)
    expected = ((50 * np.arange(3)[:, None] + np.arange(192)) % 256).astype(np.uint8).reshape(3, 8, 8, 3)
    batches = list(torch.utils.data.DataLoader(data, batch_size=4))
    pictures = torch.cat([b[0] for b in batches])
    assert pictures.shape == (6, 3, 8, 8) and pictures.dtype == torch.uint8, pictures.shape
    assert np.array_equal(pictures.permute(0, 2, 3, 1).numpy(), np.concatenate([expected, expected]))
    assert torch.cat([b[1] for b in batches]).tolist() == [0, 1, 2, 0, 1, 2]
