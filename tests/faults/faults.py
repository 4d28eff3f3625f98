"""Functions with which a test asks the shim for a fault (README.md); EQUIPOISE_FAULT_SHIM names the library."""
import os
import pathlib

SHIM = os.environ['EQUIPOISE_FAULT_SHIM']


READS = ('open', 'read', 'list', 'stat', 'map')  # the kinds that only read
CHANGES = ('write', 'sync', 'rename', 'close', 'truncate', 'remove')  # the others


def environment(prefix, *, calls=(), match='', nth=0, error='', sticky=False, times=1, seconds=0, rank='', each=False,
                count=None, journal=None):
    """Variables for a child process in which a call fails with `error` (README.md): the nth of `calls` (write, sync,
    rename, close, truncate; none: all of them; or remove, or READS) on files under `prefix`, of which only those count
    in whose path the regular expression `match` is found. `times`: so many in a row fail. `rank`: only on this rank.
    `each`: each process counts for itself."""
    return {'LD_PRELOAD': SHIM, 'FAULT_PREFIX': str(pathlib.Path(prefix).resolve()), 'FAULT_CALLS': ','.join(calls), 'FAULT_MATCH': match,
            'FAULT_NTH': str(nth), 'FAULT_ERROR': error, 'FAULT_STICKY': str(int(sticky)), 'FAULT_TIMES': str(times),
            'FAULT_SECONDS': str(seconds), 'FAULT_RANK': str(rank), 'FAULT_EACH': str(int(each)),
            'FAULT_COUNT': str(count or ''), 'FAULT_JOURNAL': str(journal or '')}


def counted(count):
    """Returns how many calls of the chosen kinds all processes made; with `each`, the one that made most."""
    return int.from_bytes(pathlib.Path(count).read_bytes(), 'little')
