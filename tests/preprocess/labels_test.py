"""--labels: which class a picture has, whatever holds the pictures; and what the summary, the manifest and gan-inspect say."""
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import unittest
import zipfile

import xxhash

from archive_writer import write_archive
from run_folder import BIN, FolderCase, make_pictures, quarantine, records, run

TREE = ['cat/1.png', 'cat/2.png', 'dog/a/1.png', 'owl/1.png']
CLASSES = ['cat', 'cat', 'dog', 'owl']


class Case(FolderCase):
    def out(self, *flags, mode='folder', **kwargs):
        out = super().out(*flags, '--labels', mode, **kwargs)
        self.told = self.stdout + self.stderr
        return out

    def labels(self, *flags, **kwargs):
        return [label for _, label, _, _ in records(self.out(*flags, **kwargs))]

    def manifest(self, out):
        return json.loads((out / 'manifest.json').read_text())


def archives_of(folder, inner, made):
    """The tree in every kind of archive, below the folders `inner`, with what macOS adds."""
    files = {f'{inner}{path.relative_to(folder)}': path.read_bytes() for path in sorted(folder.rglob('*')) if path.is_file()}
    extra = {f'__MACOSX/{inner}cat/._1.png': b'resource fork', f'{inner}.DS_Store': b'finder'}
    with zipfile.ZipFile(made / 'photos.zip', 'w') as archive:
        for name, data in (files | extra).items():
            archive.writestr(name, data)
    for name, mode in (('photos.tar', 'w'), ('photos.tar.xz', 'w:xz')):
        with tarfile.open(made / name, mode) as archive:
            for member, data in (files | extra).items():
                info = tarfile.TarInfo('./' + member)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    write_archive(made / 'photos.7z', files | extra)
    return [made / name for name in ('photos.zip', 'photos.tar', 'photos.tar.xz', 'photos.7z')]


class Folders(Case):
    def test_same_labels_whatever_holds_the_tree(self):
        make_pictures(self.photos, TREE)
        for inner in ('', 'photos/', 'data/train/'):
            made = self.top / f'made{len(inner)}'
            made.mkdir()
            moved = made / 'moved' / inner
            shutil.copytree(self.photos, moved)
            for source in (self.photos, made / 'moved', *archives_of(self.photos, inner, made)):
                for mode in ('folder', 'auto'):
                    self.assertEqual(CLASSES, self.labels('--in', source, mode=mode), (source, mode))

    def test_names_in_every_script_whatever_holds_the_tree(self):
        """The flag of UTF-8 of a zip, the records of a pax tar and the UTF-16 of a 7z need no locale."""
        make_pictures(self.photos, ['caf\u00e9/1.png', '\u732b/1.png', '\u732b/2.png'])
        made = archives_of(self.photos, '', self.top)
        for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
            with tarfile.open(self.top / f'{form}.tar', 'w', format=form) as archive:
                for name in ('caf\u00e9/1.png', '\u732b/1.png'):
                    archive.add(self.photos / name, name)
                link = tarfile.TarInfo('\u732b/2.png')
                link.type, link.linkname = tarfile.LNKTYPE, '\u732b/1.png'
                archive.addfile(link)
            made.append(self.top / f'{form}.tar')
        for source in (self.photos, *made):
            with self.subTest(source.name):
                found = [r[:2] for r in records(self.out('--in', source, mode='auto'))]
                self.assertEqual([('caf\u00e9/1.png', 'caf\u00e9'), ('\u732b/1.png', '\u732b'), ('\u732b/2.png', '\u732b')], found)

    def test_archives_in_folders_of_classes_are_of_these(self):
        pictures = self.top / 'one'
        make_pictures(pictures, ['1.png', '2.png'])
        for inner in ('', 'train/', 'a/b/'):
            data = self.top / f'data{len(inner)}' / inner
            for kind in ('cat', 'dog'):
                (data / kind).mkdir(parents=True)
                with tarfile.open(data / kind / 'part.tar', 'w') as archive:
                    archive.add(pictures / '1.png', '1.png')
                with zipfile.ZipFile(data / kind / 'more.zip', 'w') as archive:
                    archive.write(pictures / '2.png', '2.png')
            for mode in ('auto', 'folder'):
                self.assertEqual(['cat', 'cat', 'dog', 'dog'], self.labels('--in', self.top / f'data{len(inner)}', mode=mode))

    def test_partitions_count_in_any_case(self):
        make_pictures(self.photos, [f'{part}/{name}' for part in ('Test', 'TRAIN', 'val') for name in TREE])
        self.assertEqual(3 * CLASSES, self.labels('--in', self.photos))

    def test_partitions_are_no_classes(self):
        make_pictures(self.photos, [f'{part}/{name}' for part in ('test', 'train', 'validation') for name in TREE])
        for source in (self.photos, *archives_of(self.photos, 'clothes/', self.top)):
            self.assertEqual(3 * CLASSES, self.labels('--in', source), source)

    def test_a_single_class_is_told_and_is_called_like_its_folder(self):
        make_pictures(self.photos, ['birds/owl/1.png', 'birds/owl/2.png'])
        flat = self.top / 'flat.tar'
        with tarfile.open(flat, 'w') as archive:
            archive.add(self.photos / 'birds/owl/1.png', '1.png')
        for source, name in ((self.photos, 'owl'), (self.photos / 'birds/owl', 'owl'), (flat, 'flat')):
            self.assertEqual({name}, set(self.labels('--in', source)))
            self.assertIn(f'all pictures have one label: {name}', self.told)
            self.assertEqual({None}, set(self.labels('--in', source, mode='auto')))
            self.assertIn('the source has no labels', self.told)

    def test_two_flat_folders_are_two_classes_when_folders_are_asked_for(self):
        make_pictures(self.top, ['cats/1.png', 'dogs/1.png'])
        self.assertEqual(['cats', 'dogs'], self.labels('--in', self.top / 'cats', '--in', self.top / 'dogs/'))

    def test_pictures_beside_the_classes_have_no_label_and_this_is_told(self):
        make_pictures(self.photos, [*TREE, 'top.png'])
        self.assertEqual([*CLASSES, ''], self.labels('--in', self.photos))
        self.assertIn('1 input has no label of its own', self.told)

    def test_folders_called_by_numbers_come_in_their_order(self):
        make_pictures(self.photos, ['10/1.png', '9/1.png', '0/1.png'])
        out = self.out('--in', self.photos)
        self.assertEqual(['0', '9', '10'], self.manifest(out)['labels'])

    def test_names_that_are_no_utf8_become_readable_labels(self):
        make_pictures(self.photos, ['a/1.png', 'b/1.png'])
        os.rename(os.fsencode(self.photos / 'a'), os.fsencode(self.photos) + b'/caf\xe9')
        out = self.out('--in', self.photos)
        self.assertEqual(['b', 'caf\ufffd'], self.manifest(out)['labels'])
        os.rename(self.photos / 'b', os.fsencode(self.photos) + b'/caf\xe8')
        manifest = self.manifest(self.out('--in', self.photos))
        self.assertEqual((['caf\ufffd', 'caf\ufffd (2)'], [1, 1]), (manifest['labels'], manifest['label_counts']))

    def test_a_label_is_one_line_of_the_summary(self):
        make_pictures(self.photos, ['a\nb/1.png', 'c/1.png'])
        self.out('--in', self.photos)
        self.assertIn('2 labels: a\\x0Ab 1, c 1', self.told)


class Counts(Case):
    def test_summary_manifest_and_inspect_count_each_label(self):
        make_pictures(self.photos, TREE)
        (self.photos / 'dog' / 'bad.png').write_bytes(b'no picture')
        out = self.out('--in', self.photos, '--images-per-shard', 2)
        self.assertIn('3 labels: cat 2, dog 1, owl 1', self.told)
        self.assertEqual((['cat', 'dog', 'owl'], [2, 1, 1]), tuple(self.manifest(out)[k] for k in ('labels', 'label_counts')))
        done = subprocess.run([BIN / 'gan-inspect', out, '--json'], capture_output=True, check=True)
        self.assertEqual([2, 1, 1], json.loads(done.stdout)['label_counts'])
        told = json.loads(run(out, '--in', self.photos, '--images-per-shard', 2, '--labels', 'folder', '--json').stdout)
        self.assertEqual({'cat': 2, 'dog': 1, 'owl': 1}, told['labels'])

    def test_append_with_other_names_is_told_and_counted(self):
        make_pictures(self.photos, TREE)
        out = self.out('--in', self.photos)
        make_pictures(self.top / 'more', ['dog/5.png', 'yak/1.png', 'zebu/1.png'], seed=1)
        done = run(out, '--in', self.top / 'more', '--labels', 'folder', '--append')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertIn('2 labels are new in the data set: yak, zebu', done.stdout.decode())
        self.assertEqual([2, 2, 1, 1, 1], self.manifest(out)['label_counts'])

    def test_append_counts_the_labels_of_an_older_data_set(self):
        make_pictures(self.photos, TREE)
        out = self.out('--in', self.photos)
        without_counts(out)
        make_pictures(self.top / 'more', ['cat/9.png', 'dog/5.png'], seed=1)
        done = run(out, '--in', self.top / 'more', '--labels', 'folder', '--append')
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual([3, 2, 1], self.manifest(out)['label_counts'])

    def test_duplicates_across_classes_are_told(self):
        make_pictures(self.photos, TREE)
        shutil.copy(self.photos / 'cat/1.png', self.photos / 'owl/9.png')
        self.out('--in', self.photos, '--dedupe', 'exact')
        self.assertIn('1 duplicate has another label than the picture that is kept, for example owl/9.png (owl) and '
                      'cat/1.png (cat)', self.told)

    def test_a_run_is_not_continued_with_other_labels(self):
        make_pictures(self.photos, TREE)
        out = self.out('--in', self.photos)
        self.assertEqual(2, run(out, '--in', self.photos, '--labels', 'auto').returncode)
        self.assertEqual(2, run(self.top / 'o', '--in', self.photos, '--labels', 'folder', '--label-column', 'x').returncode)


def without_counts(out):
    """The manifest as a version before label_counts wrote it."""
    manifest = json.loads((out / 'manifest.json').read_text())
    del manifest['label_counts'], manifest['digest']
    compact = json.dumps(manifest, sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    manifest['digest'] = 'xxh3-128:' + xxhash.xxh3_128(compact.encode()).hexdigest()
    (out / 'manifest.json').write_text(json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + '\n')


class StyleGan(Case):
    """The files that StyleGAN2-ADA's and StyleGAN3's dataset_tool.py writes: PNGs in numbered folders, stored, and
    dataset.json."""
    NAMES = [f'0000{i // 3}/img{i:08}.png' for i in range(6)]

    def write(self, labels, inner='', name='dataset.zip'):
        make_pictures(self.photos, self.NAMES)
        text = labels if isinstance(labels, str) else json.dumps({'labels': labels})
        with zipfile.ZipFile(self.top / name, 'w', zipfile.ZIP_STORED) as archive:
            for picture in self.NAMES:
                archive.write(self.photos / picture, inner + picture)
            archive.writestr(inner + 'dataset.json', text)
        (self.photos / 'dataset.json').write_text(text)
        return [self.top / name, self.photos]

    def test_numbers_are_the_labels(self):
        wanted = ['10', '9', '0', '9', '9', '1']
        for inner in ('', 'set/'):
            for source in self.write([[n, int(c)] for n, c in zip(self.NAMES, wanted)], inner, f'd{len(inner)}.zip'):
                out = self.out('--in', source, mode='auto')
                self.assertEqual(wanted, [r[1] for r in records(out)], source)
                self.assertEqual(['0', '1', '9', '10'], self.manifest(out)['labels'])

    def test_null_is_no_labels(self):
        for source in self.write(None):
            self.assertEqual({None}, set(self.labels('--in', source, mode='auto')), source)

    def test_vectors_are_refused_by_name(self):
        for source in self.write([[self.NAMES[0], 1], [self.NAMES[1], [0.5, 1.0]]]):
            self.out('--in', source, mode='auto', code=3)
            self.assertIn(f'the label of {self.NAMES[1]} is a vector, not the number of a class', self.told)
            self.assertIn('dataset.json', self.told)

    def test_hostile_files_are_refused_in_a_sentence(self):
        deep = '{"others": ' + '[' * 10000
        for text, words in (('{"labels": [', 'is not JSON'), ('[1, 2]', None), ('{"labels": [["a", 1, 2]]}', '3 values'),
                            ('{"labels": [5]}', 'no pair'), ('{"labels": {"x": ["a", 1]}}', 'no list of pairs'), ('{"labels": [[1, "a"]]}', 'begins with a number'),
                            ('{"labels": [["a", 1.5]]}', 'the fraction 1.5'), (deep, 'nested'), ('', 'is not JSON'),
                            ('{"labels": [["a", {"b": 1}]]}', 'an object')):
            for source in self.write(text):
                self.out('--in', source, mode='auto', code=3 if words else 0)
                if words:
                    self.assertIn(words, self.told)
                    self.assertIn('dataset.json', self.told)
                    self.assertEqual(1, self.told.count('\n'), self.told)


if __name__ == '__main__':
    unittest.main()
