"""The published result can be compared with a new run: bench/results/first_steps.py finds the commands and the digests
in docs/results.md, one command gives one digest twice, and another seed another.

The published digests themselves need the photos and the processor of the page; the script compares those.
"""
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests/end_to_end'), str(ROOT / 'bench/results')]
from first_steps import PAGE, first_steps, published, training_commands, with_digest  # noqa: E402
from programs import WithShards  # noqa: E402

SMALLER = ('--features', 2, '--batch', 4, '--quality-every', 0)


class Results(WithShards):
    def test_digests_have_their_place_in_the_page(self):
        text = PAGE.read_text()
        commands = training_commands(text)
        self.assertGreater(len(commands), 1)
        digests = {run: f'{i:064x}' for i, run in enumerate(commands)}
        for run, digest in digests.items():
            text = with_digest(text, run, digest)
        self.assertEqual(digests, published(text))

    def test_a_digest_is_that_of_one_run_and_no_other(self):
        for run, flags in training_commands(PAGE.read_text()).items():
            with self.subTest(run):
                name = pathlib.Path(run).name
                once, again, other = (first_steps(flags, self.shards, self.folder / f'{name}-{i}', 4, (*SMALLER, *more))
                                      for i, more in enumerate([(), (), ('--seed', 77)]))
                self.assertEqual(once, again)
                self.assertNotEqual(once, other)


if __name__ == '__main__':
    unittest.main()
