"""Computes what a power cut could have left: it replays a journal of the shim (journal.h) and drops what was not
synced."""
import dataclasses
import pathlib
import struct

MODES = ('nothing', 'entries', 'contents', 'removals')  # which of the unsynced things survive


@dataclasses.dataclass
class Action:
    kind: str    # c w t s r m u, as in journal.h
    number: int  # offset or size
    path: str
    other: str
    data: bytes


def read_journal(file):
    raw = pathlib.Path(file).read_bytes()
    at = 0

    def text():
        nonlocal at
        size, = struct.unpack_from('<Q', raw, at)
        at += 8 + size
        return raw[at - size:at]
    while at < len(raw):
        kind, number = struct.unpack_from('<BQ', raw, at)
        at += 9
        path, other, data = text(), text(), text()
        yield Action(chr(kind), number, path.decode(), other.decode(), data)


class File:
    def __init__(self, content=b''):
        self.now = bytearray(content)
        self.synced = bytes(content)

    def sync(self):
        self.synced = bytes(self.now)


class Folder:
    def __init__(self):
        self.now = {}
        self.synced = {}
        self.removed = set()  # names, not synced

    def sync(self):
        self.synced = dict(self.now)
        self.removed = set()


class Disk:
    """The tree under `prefix`: as programs see it, and as it is known to be on the disk. Starts as the folder is now,
    all of it synced; make it before the program runs."""

    def __init__(self, prefix):
        self.prefix = pathlib.Path(prefix).resolve()
        self.root = self._take(self.prefix)

    def _take(self, path):
        if not path.is_dir():
            return File(path.read_bytes())
        folder = Folder()
        folder.now = {child.name: self._take(child) for child in path.iterdir()}
        folder.sync()
        return folder

    def _parts(self, path):
        return pathlib.PurePath(path).relative_to(self.prefix).parts

    def _find(self, parts):
        node = self.root
        for name in parts:
            node = node.now[name]
        return node

    def relative(self, path):
        return '/'.join(self._parts(path))

    def files(self, path):
        """{relative path: content} of the file `path`, or of all files in the folder, as programs see them."""
        node = self._find(pathlib.PurePath(path).parts)
        if isinstance(node, File):
            return {path: bytes(node.now)}
        return {found: content for name in node.now for found, content in self.files(f'{path}/{name}').items()}

    def apply(self, action):
        parts = self._parts(action.path)
        if action.kind in 'cm':
            self._find(parts[:-1]).now[parts[-1]] = File() if action.kind == 'c' else Folder()
        elif action.kind == 'u':
            folder = self._find(parts[:-1])
            folder.now.pop(parts[-1])
            folder.removed.add(parts[-1])
        elif action.kind == 'r':
            node = self._find(parts[:-1]).now.pop(parts[-1])
            target = self._parts(action.other)
            self._find(target[:-1]).now[target[-1]] = node
        elif not action.path.endswith(' (deleted)'):
            self._change(self._find(parts), action)

    @staticmethod
    def _change(node, action):
        if action.kind == 's':
            node.sync()
        elif action.kind == 't':
            node.now[:] = node.now[:action.number].ljust(action.number, b'\0')
        elif action.kind == 'w':
            end = action.number + len(action.data)
            node.now.extend(b'\0' * (end - len(node.now)))
            node.now[action.number:end] = action.data

    def after_power_cut(self, mode):
        """{relative path: content, or None for a folder}. Mode 'nothing': only what was synced. 'entries': names and
        renames have reached the disk by themselves, contents only when synced (the empty file of many a crash).
        'contents': the reverse. 'removals': of all names only those that were removed have reached it."""
        left = {}

        def walk(folder, path):
            for name, node in (folder.now if mode == 'entries' else folder.synced).items():
                if mode == 'removals' and name in folder.removed:
                    continue
                if isinstance(node, Folder):
                    left[path + name] = None
                    walk(node, path + name + '/')
                else:
                    left[path + name] = bytes(node.now if mode == 'contents' else node.synced)
        walk(self.root, '')
        return left


def put(tree, folder):
    """Writes what after_power_cut() gave into an empty or new folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in tree.items():
        if content is None:
            (folder / name).mkdir(parents=True, exist_ok=True)
        else:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
