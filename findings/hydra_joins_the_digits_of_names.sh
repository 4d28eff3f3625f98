#!/usr/bin/env bash
# hydra-core 1.3.8 with omegaconf 2.3.1 (PyPI wheels): name=1_10 on the command line is the number 110, and so is name=11_0. A sweep over
# the two writes both runs into one folder. In a YAML file yet other texts become numbers than on the command line. There is no error
# and no warning.
#
# The guess before it was run: underscores stay, as 1_10 is no number in JSON or YAML 1.2; and a value means the same in a
# configuration file and on the command line.
#
# The reason: the grammar of the command line allows underscores within numbers, as Python and YAML 1.1 do. Files are read as YAML 1.1,
# where a leading 0 makes an octal number and colons make one of base 60; the command line has neither.
#
# What follows for users: names of runs, dates, sizes and hashes of commits become other names, and runs with different names share a
# folder, so the checkpoints of the later one replace those of the earlier one. Quote them twice: "name='1_10'".
#
# What was seen, as the folder hydra.sweep.subdir=${name} and as values:
#   on the command line      name          in a YAML file
#   1_10                     110           110
#   11_0                     110           110
#   2024_10_05               20241005      20241005
#   64_64                    6464          6464
#   12e45                    1.2e+46       1.2e+46
#   16:9                     16:9          969
#   0012                     0012          10
#   '1_10', quoted           1_10          1_10
# A sweep over 1_10, 11_0 and 1_1 made three runs and two folders: 11 and 110. The folder 110 holds the output of the second run alone.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 2 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile hydra-core==1.3.8 omegaconf==2.3.1
cd "$folder"

cat >train.py <<'PYTHON'
import pathlib

import hydra
from hydra.core.hydra_config import HydraConfig


@hydra.main(version_base=None, config_path=None, config_name=None)
def train(configuration):
    # The run leaves what it was started with, as a run leaves its checkpoint.
    job = HydraConfig.get().job.num
    pathlib.Path(HydraConfig.get().runtime.output_dir, 'checkpoint').write_text(f'run {job}')


train()
PYTHON
"$folder/venv/bin/python" train.py --multirun '+name=1_10,11_0,1_1' hydra.sweep.dir=runs 'hydra.sweep.subdir=${name}'

cat >compare.py <<'PYTHON'
import importlib.metadata
import pathlib
import sys

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

print(*(f'{name} {importlib.metadata.version(name)}' for name in ('hydra-core', 'omegaconf')))
EXPECTED = {
    '1_10': (110, 110),
    '11_0': (110, 110),
    '2024_10_05': (20241005, 20241005),
    '64_64': (6464, 6464),
    '12e45': (1.2e46, 1.2e46),
    '16:9': ('16:9', 969),
    '0012': ('0012', 10),
    "'1_10'": ('1_10', '1_10'),
}
ok = True
for text, expected in EXPECTED.items():
    value = OverridesParser.create().parse_overrides([f'name={text}'])[0].value()
    seen = (str(value) if text.startswith("'") else value, OmegaConf.create(f'name: {text}').name)
    print(f'{text:12} command line: {seen[0]!r:12} file: {seen[1]!r}')
    ok &= seen == expected
runs = {path.parent.name: path.read_text() for path in sorted(pathlib.Path('runs').glob('*/checkpoint'))}
print('folders of three runs:', runs)
sys.exit(0 if ok and runs == {'11': 'run 2', '110': 'run 1'} else 1)
PYTHON
"$folder/venv/bin/python" compare.py
