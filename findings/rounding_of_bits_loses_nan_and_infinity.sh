#!/usr/bin/env bash
# numcodecs 0.16.6, the filters of Zarr, and netCDF4 1.7.5.1.post1 (PyPI wheels) round floating-point numbers to fewer digits, so that they
# compress better. Some NaN and infinities become 0, without an error or a warning:
#   - numcodecs, BitRound: NaN becomes -0 or 0 where all bits of its fraction are set. The NaN of numpy, 0x7fc00000,
#     stays NaN.
#   - netCDF4, GranularBitRound: infinity becomes -0, and -infinity 0. 3.4e38 becomes infinity.
#   - netCDF4, BitGroom: infinity becomes NaN where it is the second, fourth, sixth number and so on.
#
# The guess before it was run: NaN and infinity have no digits, so rounding leaves them.
#
# The reason, inferred from what was seen: numcodecs adds half of the last digit that it keeps to the bits as an integer, and does not look for NaN. If all
# bits are set, the sum runs over into the sign. In BitGroom the digits of one number are cleared and
# those of the next one set, and an infinity with a set digit is a NaN.
#
# What follows for users: a search for NaN in the stored losses, weights or pictures of a diverged training finds none, and the mean
# is an ordinary number. Count what is not finite before storing, make every NaN the same with x[numpy.isnan(x)] = numpy.nan, and
# take quantize_mode='BitRound' in netCDF4, which kept all in this test.
#
# What was seen, for float32:
#   written                    NaN 7fffffff  NaN 7fc00000  NaN ffffffff  infinity  -infinity
#   numcodecs, BitRound(10)    -0            NaN           0             inf       -inf
#   netCDF4, GranularBitRound  NaN           NaN           NaN           -0        0
#   netCDF4, BitGroom          NaN           NaN           NaN           NaN       -inf (the fourth number and the fifth)
#   netCDF4, BitRound          NaN           NaN           NaN           inf       -inf
# float16 (in numcodecs) and float64 do the same.
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 40 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile numpy==2.4.6 numcodecs==0.16.6 netCDF4==1.7.5.1.post1

cat >"$folder/round.py" <<'PYTHON'
import sys

import netCDF4
import numpy
from numcodecs import BitRound

# For each type the integer of the same size and the NaN of a GPU and of a CPU.
KINDS = {'float16': ('uint16', 0x7fff, 0x7e00), 'float32': ('uint32', 0x7fffffff, 0x7fc00000),
         'float64': ('uint64', 0x7fffffffffffffff, 0x7ff8000000000000)}


def numbers(kind):
    integer, gpu, cpu = KINDS[kind]
    bits = numpy.array([gpu, cpu, int(numpy.iinfo(integer).max)], integer)
    return numpy.concatenate([bits.view(kind), numpy.array([numpy.inf, -numpy.inf], kind)])


def zarr_filter(values):
    codec = BitRound(keepbits=5)
    return codec.decode(codec.encode(values.copy())).view(values.dtype)


def netcdf(values, mode, digits):
    with netCDF4.Dataset('numbers.nc', 'w') as data:
        data.createDimension('x', len(values))
        variable = data.createVariable('x', values.dtype, ('x',), compression='zlib', significant_digits=digits, quantize_mode=mode)
        variable[:] = values
    with netCDF4.Dataset('numbers.nc') as data:
        data.set_auto_mask(False)
        return data['x'][:]


def text(values):
    return ' '.join(f'{value:g}' for value in values)


seen = {'numcodecs, BitRound': {text(zarr_filter(numbers(kind))) for kind in KINDS}}
for mode, digits in (('GranularBitRound', 3), ('BitGroom', 3), ('BitRound', 10)):
    seen[f'netCDF4, {mode}'] = {text(netcdf(numbers(kind), mode, digits)) for kind in ('float32', 'float64')}
for name, rows in seen.items():
    print(f'{name:30}', *rows)
largest = netcdf(numpy.array([3.4e38, 1], numpy.float32), 'GranularBitRound', 3)
print('3.4e38, GranularBitRound      ', largest[0])
wanted = {'numcodecs, BitRound': {'-0 nan 0 inf -inf'}, 'netCDF4, GranularBitRound': {'nan nan nan -0 0'},
          'netCDF4, BitGroom': {'nan nan nan nan -inf'}, 'netCDF4, BitRound': {'nan nan nan inf -inf'}}
sys.exit(0 if seen == wanted and numpy.isinf(largest[0]) else 1)
PYTHON
cd "$folder"
venv/bin/python -W error round.py
