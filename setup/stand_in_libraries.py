"""Lets `import torch` work on a CPU without 4 GB of CUDA libraries, for the tests that compare with PyTorch.

The wheel's libtorch_cuda.so and libtorch_python.so name cuBLAS, cuDNN, NCCL and others, and do not load where those
are missing. This writes a small shared library under each missing name, with every function that is needed; a call
ends the process with a message. Nothing on the CPU path calls them.

Usage: stand_in_libraries.py TORCH_LIB_FOLDER OUT_FOLDER
"""
import pathlib
import re
import subprocess
import sys

USERS = ['libtorch_python.so', 'libtorch_cuda.so', 'libtorch_nvshmem.so']
UNVERSIONED = {'nccl': 'libnccl.so.2', 'nvshmem': 'libnvshmem_host.so.3', 'cufile': 'libcufile.so.0',
               'cuFile': 'libcufile.so.0', 'cusparseLt': 'libcusparseLt.so.0', 'curand': 'libcurand.so.10'}


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def missing_libraries(library):
    return re.findall(r'(\S+) => not found', output('ldd', library))


def missing_symbols(library):
    """(name, version or None) of every undefined symbol."""
    for line in output('nm', '-D', '--undefined-only', '--with-symbol-versions', library).splitlines():
        name, _, version = line.split()[-1].partition('@')
        yield name, version.lstrip('@') or None


def collect(folder):
    """Library name -> {version or None: {symbols}}."""
    libraries = {}
    for user in USERS:
        for name in missing_libraries(folder / user):
            libraries.setdefault(name, {})
    for user in USERS:
        for symbol, version in missing_symbols(folder / user):
            owner = version if version in libraries else next(
                (lib for prefix, lib in UNVERSIONED.items() if symbol.startswith(prefix) and lib in libraries), None)
            if owner:
                libraries[owner].setdefault(version, set()).add(symbol)
    return libraries


def build(name, versions, out):
    symbols = sorted({s for group in versions.values() for s in group})
    source = out / (name + '.c')
    source.write_text('#include <stdio.h>\n#include <stdlib.h>\n'
                      f'static void missing(void) {{ fputs("{name} is a stand-in without CUDA\\n", stderr); abort(); }}\n'
                      + ''.join(f'void {s}(void) {{ missing(); }}\n' for s in symbols))
    script = out / (name + '.map')
    script.write_text(''.join(f'{version} {{ global: {"; ".join(sorted(group))}; }};\n'
                              for version, group in versions.items() if version and group))
    flags = [f'-Wl,--version-script={script}'] if script.read_text() else []
    subprocess.run(['gcc', '-shared', '-fPIC', '-w', '-fno-builtin', f'-Wl,-soname,{name}', *flags, source, '-o',
                    out / name], check=True)


def main():
    folder, out = map(pathlib.Path, sys.argv[1:3])
    out.mkdir(parents=True, exist_ok=True)
    for name, versions in collect(folder).items():
        build(name, versions, out)


main()
