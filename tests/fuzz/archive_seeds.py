"""Writes small archives of every kind, from which fuzzing starts. Argument: folder."""
import gzip
import io
import pathlib
import sys
import tarfile
import tempfile
import zipfile

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'preprocess'))
from archive_writer import write_archive  # noqa: E402

folder = pathlib.Path(sys.argv[1])


def tar(format):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=format) as archive:
        for name, facts in (('a/1.png', {}), ('b\u00e9.jpg', {}), ('l.png', {'type': tarfile.SYMTYPE, 'linkname': 'x'}),
                            ('../out.png', {}), ('d', {'type': tarfile.DIRTYPE}), ('n' * 90 + '/' + 'm' * 80 + '.png', {})):
            info = tarfile.TarInfo(name)
            info.size = 0 if facts else 700
            for fact, value in facts.items():
                setattr(info, fact, value)
            archive.addfile(info, io.BytesIO(bytes(range(70)) * 10))
    return out.getvalue()[:12288]


def zipped(method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as archive:
        for name in ('a/1.png', 'b\u00e9.jpg', '../out.png'):
            archive.writestr(name, bytes(range(70)) * 10)
    return out.getvalue()


def compressed(kind):
    with tempfile.NamedTemporaryFile() as file:
        write_archive(file.name, {name: bytes(range(70)) * 10 for name in ('a/1.png', 'b.jpg')}, 'ustar', kind)
        return pathlib.Path(file.name).read_bytes()


seeds = {f'tar-{n}': tar(n) for n in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)}
seeds |= {'tgz': gzip.compress(seeds['tar-0'], mtime=0)}
seeds |= {kind: compressed(kind) for kind in ('lz4', 'lzma', 'lzip', 'compress')}
seeds |= {f'zip-{m}': zipped(m) for m in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)}
for name, data in seeds.items():
    (folder / name).write_bytes(data)
