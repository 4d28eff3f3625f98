"""Pictures of every kind, whole and broken, for picture_fuzz to start from: picture_seeds.py FOLDER."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'preprocess'))
import pictures

folder = pathlib.Path(sys.argv[1])
pictures.make(folder / 'good')
pictures.make_broken(folder / 'broken')
# libFuzzer reads one folder, not those below it.
for path in [*folder.glob('*/*')]:
    path.rename(folder / f'{path.parent.name}-{path.name}')
