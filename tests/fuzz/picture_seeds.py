"""Pictures of every kind, whole and broken, for picture_fuzz to start from: picture_seeds.py FOLDER."""
import io
import pathlib
import sys
import tempfile

from PIL import Image



def progressive():
    """Large enough to be decoded at an eighth in picture_fuzz. An odd size of the file selects `fast` there."""
    image = Image.effect_noise((264, 257), 60)
    for mode in ('L', 'RGB', 'CMYK'):
        for subsampling in (0, 1, 2):
            for restart in (0, 1):
                out = io.BytesIO()
                image.convert(mode).save(out, 'JPEG', quality=30, progressive=True, subsampling=subsampling,
                                         restart_marker_rows=restart)
                data = out.getvalue()
                yield f'{mode}-{subsampling}-{restart}.jpg', data + b'\0' * (1 - len(data) % 2)


sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'preprocess'))
import pictures

folder = pathlib.Path(sys.argv[1])
with tempfile.TemporaryDirectory(dir=folder) as made:
    pictures.make(pathlib.Path(made) / 'good')
    pictures.make_broken(pathlib.Path(made) / 'broken')
    # libFuzzer reads one folder, not those below it.
    for path in [*pathlib.Path(made).glob('*/*')]:
        path.rename(folder / f'{path.parent.name}-{path.name}')
for name, data in progressive():
    (folder / name).write_bytes(data)
