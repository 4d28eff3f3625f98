"""Writes one valid file of each kind, from which fuzzing starts. Argument: folder."""
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
for number, text in enumerate((b'{"other": [[1]], "labels": [["a.png", 5], ["a/b.png", "x"]]}', b'file_name,label\r\n"b.png","x ""y"""\nc.png,2\n',
                               b'{"file_name": "a.png", "label": 1}\n{"file_name": "b.png", "label": null}\n',
                               b'2\nSmiling Young\na.png -1 1\nb.png 1 1\n', b'a.png 17\nb.png 9\n', b'{"label": "x", "n": [1, 2.5]}')):
    for column in (0, 132):
        (folder / f'{number}-{column}').write_bytes(bytes([number + column]) + text)
