"""The tensorboard package reads scalars and pictures of a 2-rank run, also of one that was stopped and resumed."""
import io
import math
import pathlib
import sys
import tempfile
import unittest

import numpy as np
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'end_to_end'))
from programs import make_shards, stats, train  # noqa: E402


class TensorBoard(unittest.TestCase):
    def test_reads_a_run_that_was_resumed(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            shards, run = make_shards(folder), folder / 'run'
            for steps in (4, 8):
                done = train(2, shards, run, '--steps', steps, '--sample-every', 4, '--tensorboard')
                self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(2, len(list(run.glob('events.out.tfevents.*'))))
            events = EventAccumulator(str(run), size_guidance={'scalars': 0, 'images': 0}).Reload()
            lines = stats(run)
            for name in ('loss_d', 'loss_g', 'd_auc', 'imbalance', 'lr_d', 'grad_norm_g', 'images_per_second'):
                read = events.Scalars(name)
                self.assertEqual(list(range(1, 9)), [point.step for point in read], name)
                if name in lines[0]:
                    for line, point in zip(lines, read):
                        self.assertTrue(math.isclose(line[name], point.value, rel_tol=1e-6), name)
            self.assertEqual([0], [image.step for image in events.Images('reals')])
            self.assertEqual([0, 4, 8], [image.step for image in events.Images('fakes')])
            newest = events.Images('fakes')[-1]
            picture = np.asarray(Image.open(io.BytesIO(newest.encoded_image_string)))
            self.assertEqual((newest.height, newest.width, 3), picture.shape)
            self.assertTrue((picture == np.asarray(Image.open(run / 'fakes-00000008.png'))).all())


if __name__ == '__main__':
    unittest.main()
