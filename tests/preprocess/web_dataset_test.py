"""WebDataset tars as the package `webdataset` writes them, and as others do: one picture per sample, with its label."""
import io
import json
import tarfile
import unittest

import numpy as np
import webdataset

from labels_test import Case
from pictures import Image, encoded, photo
from run_folder import names, quarantine, records

JPEGS = [encoded(Image.fromarray(photo(40, 40, seed=i)), 'JPEG') for i in range(6)]
PNGS = [encoded(Image.fromarray(photo(40, 40, seed=i)), 'PNG') for i in range(6)]


def write_tar(path, members):
    with tarfile.open(path, 'w') as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


class WebDataset(Case):
    def write_shards(self, samples, count=2):
        with webdataset.ShardWriter(f'{self.top}/data-%03d.tar', maxcount=count, verbose=0) as writer:
            for i, fields in enumerate(samples):
                writer.write({'__key__': f'sample{i:06}', **fields})
        return sorted(self.top.glob('data-*.tar'))

    def found(self, *flags, **kwargs):
        self.last = self.out(*flags, mode='auto', **kwargs)
        return [(name, label) for name, label, _, _ in records(self.last)]

    def test_classes_of_cls_over_several_tars(self):
        tars = self.write_shards([{'jpg': JPEGS[i], 'cls': [7, 10, 7, 2, 10][i]} for i in range(5)])
        self.assertEqual(3, len(tars))
        wanted = [(f'data-{i // 2:03}.tar/sample{i:06}.jpg', label) for i, label in enumerate(['7', '10', '7', '2', '10'])]
        self.assertEqual(wanted, self.found(*(word for tar in tars for word in ('--in', tar))))
        self.assertEqual((['2', '7', '10'], [1, 2, 2]),
                         tuple(self.manifest(self.last)[k] for k in ('labels', 'label_counts')))
        (self.top / 'list').write_text('\n'.join(map(str, reversed(tars))))
        order = [4, 2, 3, 0, 1]
        self.assertEqual([wanted[i] for i in order], self.found('--list', self.top / 'list'), 'the order of the list')
        self.assertEqual(wanted, self.found('--in', f'{self.top}/data-{{000..002}}.tar'), 'braces as webdataset expands them')

    def test_braces_that_stand_for_no_tar_are_refused(self):
        tar = self.write_shards([{'jpg': JPEGS[0], 'cls': 1}])[0]
        self.out('--in', tar, '--in', f'{self.top}/data-{{3..0}}.tar', mode='auto', code=2)
        self.assertIn('{3..0} stands for no file', self.told)

    def test_labels_of_json_and_the_choice_among_them(self):
        tars = self.write_shards([{'png': PNGS[i], 'json': {'label': f'kind {i % 2}', 'colour': 'red', 'id': i}} for i in range(3)], 9)
        self.assertEqual(['kind 0', 'kind 1', 'kind 0'], [label for _, label in self.found('--in', *tars)])
        self.assertEqual(['red'] * 3, [label for _, label in self.found('--in', *tars, '--label-column', 'colour')])
        self.out('--in', *tars, '--label-column', 'absent', mode='auto', code=2)
        self.assertIn('--label-column absent: the inputs have colour, id, label\n', self.told)

    def test_masks_and_second_pictures_are_no_pictures_of_the_data_set(self):
        samples = [{'seg.png': PNGS[1], 'jpg': JPEGS[0], 'json': {}}, {'input.png': PNGS[2], 'seg.png': PNGS[3], 'txt': 'words'},
                   {'mask.png': PNGS[4], 'cls': 1}]
        tars = self.write_shards(samples, 9)
        for mode in ('auto', 'none'):
            out = self.out('--in', *tars, mode=mode)
            self.assertEqual(['sample000000.jpg', 'sample000001.input.png', 'sample000002.mask.png'], names(out))
            self.assertIn('2 other picture of a sample (sample000000.seg.png, sample000001.seg.png)', self.told)

    def test_encoded_by_webdataset_itself(self):
        tars = self.write_shards([{'png': np.full((30, 30, 3), 40 * i, np.uint8), 'cls': i} for i in range(3)], 9)
        self.assertEqual(['0', '1', '2'], [label for _, label in self.found('--in', *tars)])
        self.assertEqual([0, 40, 80], [r[3][0] for r in records(self.last)])

    def test_extensions_in_any_case(self):
        members = [('1.JPG', JPEGS[0]), ('1.CLS', b'cat'), ('2.Jpeg', JPEGS[1]), ('2.Json', b'{"label": "dog"}'), ('2.SEG.PNG', PNGS[2])]
        self.assertEqual([('1.JPG', 'cat'), ('2.Jpeg', 'dog')], self.found('--in', write_tar(self.top / 'c.tar', members)))

    def test_tars_with_the_same_keys_that_were_put_together(self):
        """Tars joined as `tar -A` and `cat` do it, whatever the order of the members of a sample."""
        for order in (('jpg', 'cls'), ('cls', 'jpg')):
            for without in (None, 0, 2):
                fields = [{'jpg': JPEGS[i], 'cls': b'%d' % i} for i in range(4)]
                if without is not None:
                    del fields[without]['cls']
                halves = [write_tar(self.top / f'{k}.tar', [(f'{i % 2}.{f}', fields[i][f]) for i in (2 * k, 2 * k + 1) for f in order if f in fields[i]])
                          for k in (0, 1)]
                (self.top / 'both.tar').write_bytes(halves[0].read_bytes() + halves[1].read_bytes())
                wanted = [(f'{i % 2}.jpg', '' if i == without else str(i)) for i in range(4)]
                with self.subTest(order=order, without=without):
                    self.assertEqual(wanted, self.found('--in', self.top / 'both.tar'))

    def test_cls_counts_before_a_json_that_holds_no_label(self):
        members = [('1.jpg', JPEGS[0]), ('1.json', b'{"label": [1, 2]}'), ('1.cls', b'7'), ('2.jpg', JPEGS[1]), ('2.json', b'{"label": "x"}')]
        self.assertEqual(['7', 'x'], [label for _, label in self.found('--in', write_tar(self.top / 'c.tar', members))])
        members = [(f'{i}.{f}', data) for i, truth in enumerate((b'true', b'false')) for f, data in (('jpg', JPEGS[i]), ('json', b'{"label": %s}' % truth))]
        self.assertEqual(['true', 'false'], [label for _, label in self.found('--in', write_tar(self.top / 'c.tar', members))])

    def test_numbered_pictures_are_no_samples(self):
        members = [(f'cat.{i}.jpg', JPEGS[i]) for i in range(3)] + [('cat.txt', b'words'), ('readme.md', b'# words')]
        self.assertEqual([f'cat.{i}.jpg' for i in range(3)], [n for n, _ in self.found('--in', write_tar(self.top / 'c.tar', members))])

    def test_pictures_alone_are_no_samples(self):
        members = [('a.jpg', JPEGS[0]), ('a.png', PNGS[1]), ('b/a.jpg', JPEGS[2])]
        self.assertEqual(3, len(self.found('--in', write_tar(self.top / 'c.tar', members))))

    def test_names_of_classes_in_cls_and_folders_in_keys(self):
        members = [('x/1.cls', b' a cat \n'), ('x/1.jpg', JPEGS[0]), ('y/1.jpg', JPEGS[1]), ('y/1.cls', b'a dog'), ('y/2.jpg', JPEGS[2])]
        self.assertEqual([('x/1.jpg', 'a cat'), ('y/1.jpg', 'a dog'), ('y/2.jpg', '')],
                         self.found('--in', write_tar(self.top / 'c.tar', members)))
        self.assertIn('1 input has no label of its own', self.told)

    def test_a_damaged_picture_is_quarantined_and_a_damaged_label_is_told_with_its_place(self):
        members = [('1.jpg', b'nothing'), ('1.cls', b'3'), ('2.jpg', JPEGS[1]), ('2.cls', b'4')]
        tar = write_tar(self.top / 'c.tar', members)
        self.assertEqual([('2.jpg', '4')], self.found('--in', tar))
        self.assertEqual({'1.jpg': 'not_a_picture'}, quarantine(self.last))
        for name, data, words in (('2.json', b'{"label": ', r'c\.tar/2\.json at byte \d+'), ('2.json', b'{"label": [1]}', 'array'),
                                  ('2.cls', b'x' * 2000, 'a label of over 1,000 bytes'),
                                  ('2.json', b'[' * 100000, r'c\.tar/2\.json')):
            tar = write_tar(self.top / 'c.tar', [('2.jpg', JPEGS[1]), (name, data)])
            self.out('--in', tar, mode='auto', code=3)
            self.assertRegex(self.told, words)
            self.assertEqual(1, self.told.count('\n'), self.told)

    def test_the_damage_of_a_tar_is_told_whatever_the_tar_is_called(self):
        members = [(f'{i}.{kind}', data) for i in range(3) for kind, data in (('jpg', JPEGS[i]), ('cls', b'4'))]
        whole = write_tar(self.top / '0.tar', members).read_bytes()
        for name in ('0.tar', 'data.tar'):  # the first sample is called 0 as well
            tar = self.top / name
            tar.write_bytes(whole[:whole.rindex(b'2.jpg')])
            self.assertEqual(['0.jpg', '1.jpg'], [found for found, _ in self.found('--in', tar)])
            self.assertEqual({name: 'truncated'}, quarantine(self.last))
            self.out('--in', tar, '--strict', mode='auto', code=3)
            self.assertIn('stops here', self.told)

    def test_a_refused_member_takes_the_place_of_no_picture(self):
        tar = self.top / 'c.tar'
        with tarfile.open(tar, 'w') as file:
            for name, data in (('1.jpg', None), ('1.png', PNGS[0]), ('1.cls', b'4')):
                info = tarfile.TarInfo(name)
                info.type, info.linkname = (tarfile.REGTYPE, '') if data else (tarfile.SYMTYPE, '/etc/passwd')
                info.size = len(data or b'')
                file.addfile(info, io.BytesIO(data or b''))
        self.assertEqual([('1.png', '4')], self.found('--in', tar))
        self.assertEqual({'1.jpg': 'unsupported'}, quarantine(self.last))


if __name__ == '__main__':
    unittest.main()
