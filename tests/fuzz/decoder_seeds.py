"""Valid pictures of the formats that one target decodes, from the conformance set: decoder_seeds.py TARGET FOLDER."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'preprocess'))
import conformance


def sources(target):
    if target == 'own_decoders':
        return [make for _, make in conformance.OWN.values()]
    return [conformance.FORMATS[{'heif': 'heic'}.get(target, target)][1]]


target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
for make in sources(target):
    for name, data, _ in make():
        if len(data) < 30_000:
            (folder / name).write_bytes(data)
