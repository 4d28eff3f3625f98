"""The programs of the wheel as commands: each command replaces itself by the program in the folder bin of this
package."""
from __future__ import annotations

import os
import pathlib
import shutil
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
TORCH = '2.11.'  # LibTorch has no stable interface: the program fits the version that it was built with


def path(name: str) -> str:
    """The file of a program: the one in this wheel, or else the one in PATH. Raises FileNotFoundError."""
    inside = HERE / 'bin' / name
    found = str(inside) if inside.is_file() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f'{name} is neither in {HERE / "bin"} nor in PATH')
    return found


def _libtorch() -> pathlib.Path:
    """The folder of LibTorch in the installed torch, which is not imported. Raises SystemExit with advice."""
    import importlib.metadata
    import importlib.util
    spec = importlib.util.find_spec('torch')
    if spec is None or spec.origin is None:
        raise SystemExit('gan-train: needs LibTorch, which is not installed: pip install "equipoise[train]"')
    version = importlib.metadata.version('torch')
    if not version.startswith(TORCH):
        raise SystemExit(f'gan-train: was built for torch {TORCH}*, and torch {version} is installed: pip install "equipoise[train]"')
    return pathlib.Path(spec.origin).resolve().parent / 'lib'


def _environment(name: str) -> dict[str, str]:
    environment = dict(os.environ)

    def prepend(variable: str, folder: pathlib.Path) -> None:
        environment[variable] = os.pathsep.join(filter(None, [str(folder), environment.get(variable)]))

    # The program looks for LibTorch beside this package, so the path of a package in another folder is passed on.
    # gan-launch starts the program itself, not the command.
    trains = name == 'gan-train' or name == 'gan-launch' and any(pathlib.PurePath(word).name == 'gan-train' for word in sys.argv[1:])
    if trains and _libtorch() != HERE.parent / 'torch' / 'lib':
        prepend('LD_LIBRARY_PATH', _libtorch())
    # gan-launch uses the mpirun of this environment even when the environment is not activated.
    commands = pathlib.Path(sys.executable).parent
    if name == 'gan-launch' and (commands / 'mpirun').is_file():
        prepend('PATH', commands)
    return environment


def _become(name: str) -> None:
    # Python ignores these two signals, and a program would inherit that. But `gan-generate --out - | head` has to end.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    program = path(name)
    os.execve(program, [program, *sys.argv[1:]], _environment(name))


def gan_preprocess() -> None:
    _become('gan-preprocess')


def gan_train() -> None:
    _become('gan-train')


def gan_generate() -> None:
    _become('gan-generate')


def gan_inspect() -> None:
    _become('gan-inspect')


def gan_launch() -> None:
    _become('gan-launch')
