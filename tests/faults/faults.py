"""How a test asks the shim for a fault (README.md); EQUIPOISE_FAULT_SHIM names the library."""
import os
import pathlib

SHIM = os.environ['EQUIPOISE_FAULT_SHIM']


def environment(prefix, *, calls=(), match='', nth=0, error='', sticky=False, count=None,
                journal=None):
    """Variables for a child process: the nth of `calls` (write, sync, rename, close, truncate; none: all of them) on
    files under `prefix`, and only those in whose path the regular expression `match` is found, fails with `error` (ENOSPC, EIO, EDQUOT, SHORT, SKIP, KILL)."""
    return {'LD_PRELOAD': SHIM, 'FAULT_PREFIX': str(pathlib.Path(prefix).resolve()), 'FAULT_CALLS': ','.join(calls), 'FAULT_MATCH': match,
            'FAULT_NTH': str(nth), 'FAULT_ERROR': error, 'FAULT_STICKY': str(int(sticky)),
            'FAULT_COUNT': str(count or ''), 'FAULT_JOURNAL': str(journal or '')}


def counted(count):
    """How many calls of the chosen kinds all processes made."""
    return int.from_bytes(pathlib.Path(count).read_bytes(), 'little')
