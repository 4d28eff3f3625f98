"""Archives of kinds that Python's library does not write."""
import ctypes


def write_archive(path, files, kind='7zip', compression=None):
    """By libarchive, the library that reads them too: no other one is at hand."""
    library = ctypes.CDLL('libarchive.so.13')
    for function in (library.archive_write_new, library.archive_entry_new):
        function.restype = ctypes.c_void_p
    archive = ctypes.c_void_p(library.archive_write_new())
    assert library[f'archive_write_set_format_{kind}'](archive) == 0
    if compression:
        assert library[f'archive_write_add_filter_{compression}'](archive) == 0
    assert library.archive_write_open_filename(archive, str(path).encode()) == 0
    for name, data in files.items():
        entry = ctypes.c_void_p(library.archive_entry_new())
        library.archive_entry_set_pathname(entry, name.encode())
        library.archive_entry_set_size(entry, ctypes.c_int64(len(data)))
        library.archive_entry_set_filetype(entry, 0o100000)
        assert library.archive_write_header(archive, entry) == 0
        library.archive_write_data(archive, data, ctypes.c_size_t(len(data)))
        library.archive_entry_free(entry)
    assert library.archive_write_close(archive) == 0
