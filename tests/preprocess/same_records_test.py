"""The same pictures give the same records and labels whatever holds them, at about the speed of a folder and in little memory;
killed anywhere, the same command ends with the same bytes. EQUIPOISE_PICTURES: how many; EQUIPOISE_KILLS: kills per container."""
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import zipfile

import datasets
import lmdb
import webdataset
from PIL import Image

from archive_writer import write_archive
from memory_test import peak_of
from pictures import photo
from run_folder import ENVIRONMENT, command, digest, records

CLOTHING = pathlib.Path(os.environ['EQUIPOISE_SHARED'], 'data/clothing')
PICTURES = int(os.environ.get('EQUIPOISE_PICTURES', 120))
KILLS = int(os.environ.get('EQUIPOISE_KILLS', 3))
datasets.disable_progress_bars()


def make_clothing(folder):
    """Pictures of ten classes for those who do not have the photographs."""
    for number in range(PICTURES):
        kind = folder / 'made' / f'kind-{number % 10}'
        kind.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(60 + number % 7, 50 + number % 11, seed=number)).save(kind / f'{number:04d}.jpg', quality=90)


def chosen(scratch):
    """[(class, path)], spread over all classes, in the order of a folder of classes."""
    source = CLOTHING
    if not CLOTHING.exists():
        source = scratch / 'clothing'
        make_clothing(source)
    every = sorted(source.glob('*/*/*.jpg'), key=lambda p: p.name)
    return sorted(((p.parent.name, p) for p in every[:PICTURES]), key=lambda pair: (pair[0], pair[1].name))


def tree(top, pictures):
    for kind, path in pictures:
        (top / 'tree' / kind).mkdir(parents=True, exist_ok=True)
        shutil.copy(path, top / 'tree' / kind)
    return top / 'tree'


def tar(top, pictures, mode=''):
    path = top / f'clothes.tar{"." + mode if mode else ""}'
    with tarfile.open(path, f'w:{mode}') as archive:
        for kind, picture in pictures:
            archive.add(picture, f'clothes/{kind}/{picture.name}')
    return path


def zipped(top, pictures):
    with zipfile.ZipFile(top / 'clothes.zip', 'w') as archive:
        for kind, picture in pictures:
            archive.write(picture, f'{kind}/{picture.name}')
    return top / 'clothes.zip'


def seven_zip(top, pictures):
    write_archive(top / 'clothes.7z', {f'{kind}/{picture.name}': picture.read_bytes() for kind, picture in pictures})
    return top / 'clothes.7z'


def style_gan(top, pictures):
    kinds = sorted({kind for kind, _ in pictures})
    names = [f'{i // 1000:05}/img{i:08}.jpg' for i in range(len(pictures))]
    with zipfile.ZipFile(top / 'stylegan.zip', 'w', zipfile.ZIP_STORED) as archive:
        for name, (_, picture) in zip(names, pictures):
            archive.write(picture, name)
        archive.writestr('dataset.json', json.dumps({'labels': [[n, kinds.index(k)] for n, (k, _) in zip(names, pictures)]}))
    return top / 'stylegan.zip'


def web_dataset(top, pictures):
    with webdataset.ShardWriter(f'{top}/web-%03d.tar', maxcount=50, verbose=0) as writer:
        for i, (kind, picture) in enumerate(pictures):
            writer.write({'__key__': f'{i:06}', 'jpg': picture.read_bytes(), 'cls': kind.encode(), 'json': {'file': picture.name}})
    (top / 'web.txt').write_text('\n'.join(map(str, sorted(top.glob('web-*.tar')))))
    return top / 'web.txt'


def hugging_face(top, pictures):
    kinds = sorted({kind for kind, _ in pictures})
    features = datasets.Features({'image': datasets.Image(), 'label': datasets.ClassLabel(names=kinds)})
    rows = [{'image': {'bytes': p.read_bytes(), 'path': p.name}, 'label': kinds.index(k)} for k, p in pictures]
    datasets.Dataset.from_list(rows, features=features).to_parquet(str(top / 'clothes.parquet'))
    return top / 'clothes.parquet'


def lmdb_of(top, pictures):
    with lmdb.open(str(top / 'lmdb'), map_size=1 << 32) as database, database.begin(write=True) as transaction:
        for i, (kind, picture) in enumerate(pictures):
            transaction.put(b'image-%09d' % i, picture.read_bytes())
            transaction.put(b'label-%09d' % i, kind.encode())
    return top / 'lmdb'


MAKERS = {'folder': tree, 'tar': tar, 'tar.gz': lambda *a: tar(*a, 'gz'), 'zip': zipped, '7z': seven_zip, 'StyleGAN zip': style_gan,
          'WebDataset': web_dataset, 'Parquet': hugging_face, 'LMDB': lmdb_of}


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.temporary.name)
        cls.pictures = chosen(cls.top)
        cls.sources = {name: make(cls.top, cls.pictures) for name, make in MAKERS.items()}

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def command(self, name, out, *flags):
        return command(self.top / out, '--in', self.sources[name], '--labels', 'auto', *flags, size=64)


class SameRecords(Case):
    def test_records_and_labels_are_those_of_the_folder(self):
        self.assertGreater(len({kind for kind, _ in self.pictures}), 5)
        kinds = sorted({kind for kind, _ in self.pictures})
        wanted = None
        for name in self.sources:
            subprocess.run(self.command(name, f'out-{name}', '--images-per-shard', '50'), check=True, capture_output=True, env=ENVIRONMENT)
            found = [(kinds[int(label)] if name == 'StyleGAN zip' else label, pixels)
                     for _, label, _, pixels in records(self.top / f'out-{name}')]
            wanted = wanted or found
            self.assertEqual(PICTURES, len(found), name)
            self.assertEqual(wanted, found, name)
        self.assertEqual([kind for kind, _ in self.pictures], [label for label, _ in wanted])

    def test_memory_is_small(self):
        for name in self.sources:
            print(name, end=' ', file=sys.stderr)
            self.assertLess(peak_of(self.command(name, f'memory-{name}', '--threads', '2')), 200 << 20, name)


class Interrupted(Case):
    def test_killed_runs_end_with_the_same_bytes(self):
        rng = random.Random(28)
        for name in self.sources:
            flags = ['--images-per-shard', '8', '--threads', '2']
            begin = time.monotonic()
            subprocess.run(self.command(name, f'whole-{name}', *flags), check=True, capture_output=True, env=ENVIRONMENT)
            longest, kills, tries = time.monotonic() - begin, 0, 0
            while kills < KILLS:
                tries += 1
                self.assertLess(tries, 20 * KILLS, f'{name}: the runs are too quick to be killed')
                out = self.top / f'killed-{name}'
                process = subprocess.Popen(self.command(name, out.name, *flags), env=ENVIRONMENT, stdout=subprocess.DEVNULL,
                                           stderr=subprocess.DEVNULL)
                time.sleep(rng.uniform(0, longest))
                process.send_signal(signal.SIGKILL)
                if process.wait() == 0:
                    shutil.rmtree(out)
                    continue
                kills += 1
                if rng.random() < 0.5 or kills == KILLS:
                    done = subprocess.run(self.command(name, out.name, *flags), env=ENVIRONMENT, capture_output=True)
                    self.assertEqual(0, done.returncode, done.stderr)
                    self.assertEqual(digest(self.top / f'whole-{name}'), digest(out), name)
                    shutil.rmtree(out)


if __name__ == '__main__':
    unittest.main()
