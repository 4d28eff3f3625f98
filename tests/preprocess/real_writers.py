#!/usr/bin/env python3
"""Every container made by the software of its own ecosystem, at two versions each, gives the records and labels of the folder.

    EQUIPOISE_BIN=build/release/bin .deps/venv/bin/python tests/preprocess/real_writers.py [NAME...]

Installs each version into an environment of its own below a temporary folder: some minutes and 2 GB of downloads, so ./check
does not run it. Exit code 1 when one differs.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import venv

from PIL import Image

from pictures import encoded, photo
from run_folder import ENVIRONMENT, command, records

KINDS = ['bag', 'boot', 'coat']
COUNT = 24
# The beginning of every writer script: `pictures` is [(bytes, class number)], `top` where it writes.
BEGIN = '''
import json, pathlib, sys
top, source = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
kinds = ['bag', 'boot', 'coat']
pictures = [(p.read_bytes(), kinds.index(p.parent.name)) for p in sorted(source.glob('*/*'), key=lambda p: p.name)]
'''
WRITERS = {
    'webdataset': ([['webdataset==1.0.2', 'numpy==2.2.6'], ['webdataset==0.2.86', 'numpy==1.26.4']], '''
import webdataset
with webdataset.ShardWriter(str(top / 'w-%04d.tar'), maxcount=10, verbose=0) as writer:
    for i, (data, kind) in enumerate(pictures):
        writer.write({'__key__': f'{i:05}', 'jpg': data, 'cls': str(kind), 'json': {'n': i}})
(top / 'made').write_text(json.dumps([['--in', str(top / 'w-{0000..0002}.tar')]]))
'''),
    'datasets': ([['datasets==5.2.0', 'pyarrow==26.0.1', 'pillow==12.0.0'], ['datasets==2.14.7', 'pyarrow==14.0.2', 'numpy==1.26.4', 'pillow==10.4.0', 'fsspec==2023.10.0']], '''
import datasets, pyarrow.parquet
features = datasets.Features({'image': datasets.Image(), 'label': datasets.ClassLabel(names=kinds)})
rows = {'image': [{'bytes': data, 'path': None} for data, _ in pictures], 'label': [kind for _, kind in pictures]}
made = datasets.Dataset.from_dict(rows, features=features)
made.to_parquet(str(top / 'plain.parquet'))
made.to_parquet(str(top / 'groups.parquet'), batch_size=5)
for packing in ('zstd', 'gzip'):
    pyarrow.parquet.write_table(made.data.table, top / f'{packing}.parquet', compression=packing)
(top / 'hub').mkdir()
for i in range(3):
    made.shard(3, i, contiguous=True).to_parquet(str(top / f'hub/train-{i:05}-of-00003.parquet'))
names = ['plain.parquet', 'groups.parquet', 'zstd.parquet', 'gzip.parquet', 'hub']
(top / 'made').write_text(json.dumps([['--in', str(top / name)] for name in names]))
'''),
    'lmdb': ([['lmdb==3.0.0'], ['lmdb==1.4.1']], '''
import lmdb
with lmdb.open(str(top / 'lmdb'), map_size=1 << 28) as database:
    for i, (data, kind) in enumerate(pictures):
        with database.begin(write=True) as transaction:
            transaction.put(b'image-%09d' % i, data)
            transaction.put(b'label-%09d' % i, kinds[kind].encode())
(top / 'made').write_text(json.dumps([['--in', str(top / 'lmdb')], ['--in', str(top / 'lmdb/data.mdb')]]))
'''),
    # dataset_tool.py of StyleGAN2-ADA and StyleGAN3: stored PNGs by Pillow in folders of a thousand, dataset.json last.
    'pillow': ([['pillow==13.0.0'], ['pillow==9.5.0']], '''
import io, zipfile, PIL.Image
labels = []
with zipfile.ZipFile(top / 'stylegan.zip', 'w', compression=zipfile.ZIP_STORED) as archive:
    for i, (data, kind) in enumerate(pictures):
        bits = io.BytesIO()
        PIL.Image.open(io.BytesIO(data)).save(bits, format='png', compress_level=0, optimize=False)
        name = f'{i // 1000:05}/img{i:08}.png'
        archive.writestr(name, bits.getvalue())
        labels.append([name, kind])
    archive.writestr('dataset.json', json.dumps({'labels': labels}))
(top / 'made').write_text(json.dumps([['--in', str(top / 'stylegan.zip')]]))
'''),
    'numpy': ([['numpy==2.4.6', 'pillow==12.0.0'], ['numpy==1.23.5', 'pillow==10.4.0']], '''
import io, numpy, PIL.Image
arrays = numpy.stack([numpy.asarray(PIL.Image.open(io.BytesIO(data))) for data, _ in pictures])
labels = numpy.array([kind for _, kind in pictures])
numpy.save(top / 'train_images.npy', arrays)
numpy.save(top / 'train_labels.npy', labels)
numpy.savez(top / 'a.npz', images=arrays, labels=labels)
numpy.savez_compressed(top / 'b.npz', x_train=arrays.transpose(0, 3, 1, 2), y_train=labels.astype(numpy.uint8)[:, None])
(top / 'made').write_text(json.dumps([['--in', str(top / name)] for name in ('train_images.npy', 'a.npz', 'b.npz')]))
'''),
    'py7zr': ([['py7zr==1.1.4'], ['py7zr==0.20.8']], '''
import py7zr
with py7zr.SevenZipFile(top / 'a.7z', 'w') as archive:
    archive.writeall(source, 'photos')
(top / 'made').write_text(json.dumps([['--in', str(top / 'a.7z')]]))
'''),
    'tarfile': ([[]], '''
import tarfile, zipfile
made = []
for number, form in enumerate((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
    for mode in ('', 'gz', 'bz2', 'xz'):
        path = top / f'{number}.tar{"." if mode else ""}{mode}'
        with tarfile.open(path, f'w:{mode}', format=form) as archive:
            archive.add(source, 'photos')
        made.append(['--in', str(path)])
for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
    with zipfile.ZipFile(top / f'{method}.zip', 'w', method) as archive:
        for path in sorted(source.glob('*/*')):
            archive.write(path, f'photos/{path.parent.name}/{path.name}')
    made.append(['--in', str(top / f'{method}.zip')])
(top / 'made').write_text(json.dumps(made))
'''),
}


def python_with(folder, packages):
    venv.create(folder, with_pip=True)
    if packages:
        subprocess.run([folder / 'bin/pip', '--quiet', '--disable-pip-version-check', 'install', *packages], check=True)
    return folder / 'bin/python'


def found_in(top, flags):
    subprocess.run(command(top, *flags, '--labels', 'auto', size=64), check=True, capture_output=True, env=ENVIRONMENT)
    kinds = {str(i): kind for i, kind in enumerate(KINDS)}
    return sorted((kinds.get(label, label), pixels) for _, label, _, pixels in records(top))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        source = scratch / 'photos'
        for i in range(COUNT):
            path = source / KINDS[i * 7 % 3] / f'{i:03}.jpg'
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded(Image.fromarray(photo(90, 80, seed=i)), 'JPEG', quality=85))
        wanted = found_in(scratch / 'folder', ['--in', source])
        assert len(wanted) == COUNT and {kind for kind, _ in wanted} == set(KINDS)
        wrong = sources = 0
        names = sys.argv[1:] or list(WRITERS)
        for name, (versions, script) in ((name, WRITERS[name]) for name in names):
            for number, packages in enumerate(versions):
                top = scratch / f'{name}{number}'
                top.mkdir()
                python = python_with(top / 'environment', packages)
                (top / 'write.py').write_text(BEGIN + script)
                subprocess.run([python, '-W', 'ignore', top / 'write.py', top, source], check=True)
                for turn, flags in enumerate(json.loads((top / 'made').read_text())):
                    same = found_in(top / f'out{turn}', flags) == wanted
                    print('same  ' if same else 'OTHER ', (' '.join(packages) or 'Python ' + sys.version.split()[0]), pathlib.Path(flags[1]).name, flush=True)
                    wrong, sources = wrong + (not same), sources + 1
        print(f'{sources} sources, {wrong} of them other than the folder')
        return 1 if wrong or sources < 2 * len(names) else 0


if __name__ == '__main__':
    sys.exit(main())
