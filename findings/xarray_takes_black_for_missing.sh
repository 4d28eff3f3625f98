#!/usr/bin/env bash
# xarray 2026.9.0 reads pictures and labels that zarr 3.1.6 (PyPI wheels) wrote in Zarr's format 2 with NaN instead of 0, as
# floating-point numbers: black pixels and the first class are missing, and mean() leaves them out. The same arrays in format 3 are
# read as they are. There is no error and no warning.
#
# The guess before it was run: an array of uint8 whose every number was written comes back as uint8, in either format.
#
# The reason: the format stores a fill value for parts that were never written, which is 0 unless one asks for another. xarray takes
# it for the mark of missing values in format 2. Its documentation says so at the argument use_zarr_fill_value_as_mask of
# open_zarr, and that False prevents it; open_zarr and open_dataset take the argument and ignore it.
#
# What follows for users: the mean and the spread with which pictures are normalised are those of the pixels that are not black,
# labels are float64, and NaN reaches the network. Pass mask_and_scale=False to either of them, or write with fill_value=None
# or in format 3.
#
# What was seen, for pictures of 0 and 200 in equal parts and labels 0, 1, 2, 0:
#                                                     pictures            labels
#   zarr itself, format 2                             uint8, mean 100     int64, 0 1 2 0
#   open_zarr, format 2                               float32, mean 200   float64, nan 1 2 nan
#   the same, use_zarr_fill_value_as_mask=False       float32, mean 200   float64, nan 1 2 nan
#   open_dataset, use_zarr_fill_value_as_mask=False   float32, mean 200   float64, nan 1 2 nan
#   open_zarr, mask_and_scale=False                   uint8, mean 100     int64, 0 1 2 0
#   open_zarr, format 3                               uint8, mean 100     int64, 0 1 2 0
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 60 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 pandas==3.1.1 zarr==3.1.6 \
  xarray==2026.9.0

cat >"$folder/read.py" <<'PYTHON'
import sys

import numpy
import xarray
import zarr

pictures = numpy.zeros((4, 8, 8), numpy.uint8)
pictures[:, :, 4:] = 200
labels = numpy.array([0, 1, 2, 0])
for version in (2, 3):
    group = zarr.open_group(f'{version}.zarr', mode='w', zarr_format=version)
    for name, data, axes in (('pictures', pictures, ('picture', 'y', 'x')), ('labels', labels, ('picture',))):
        if version == 2:
            group.create_array(name, data=data).attrs['_ARRAY_DIMENSIONS'] = axes
        else:
            group.create_array(name, data=data, dimension_names=axes)


def seen(title, data):
    """The types, the mean of the pictures and the labels."""
    images, classes = numpy.asarray(data['pictures']), numpy.asarray(data['labels'])
    found = str(images.dtype), float(numpy.nanmean(images)), str(classes.dtype), ' '.join(f'{value:g}' for value in classes)
    print(f'{title:50}', *found)
    return found


def opened(version, reader=xarray.open_zarr, **options):
    return reader(f'{version}.zarr', consolidated=False, **options)


right, wrong = ('uint8', 100, 'int64', '0 1 2 0'), ('float32', 200, 'float64', 'nan 1 2 nan')
group = zarr.open_group('2.zarr', mode='r')
read = {name: group[name][...] for name in ('pictures', 'labels')}
same = [seen('zarr, format 2', read),
        seen('open_zarr, mask_and_scale=False', opened(2, mask_and_scale=False)),
        seen('open_zarr, format 3', opened(3))]
others = [seen('open_zarr, format 2', opened(2)),
          seen('open_zarr, use_zarr_fill_value_as_mask=False', opened(2, use_zarr_fill_value_as_mask=False)),
          seen('open_dataset, use_zarr_fill_value_as_mask=False',
               opened(2, xarray.open_dataset, engine='zarr', use_zarr_fill_value_as_mask=False))]
sys.exit(0 if same == [right] * 3 and others == [wrong] * 3 else 1)
PYTHON
cd "$folder"
venv/bin/python -W ignore read.py
