"""Pictures of every kind, whole and broken, for picture_fuzz to start from: picture_seeds.py FOLDER."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'preprocess'))
import pictures

folder = pathlib.Path(sys.argv[1])
with tempfile.TemporaryDirectory(dir=folder) as made:
    pictures.make(pathlib.Path(made) / 'good')
    pictures.make_broken(pathlib.Path(made) / 'broken')
    # libFuzzer reads one folder, not those below it.
    for path in [*pathlib.Path(made).glob('*/*')]:
        path.rename(folder / f'{path.parent.name}-{path.name}')
