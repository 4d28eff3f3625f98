#!/usr/bin/env bash
# grain 0.2.18 (PyPI wheel), the data loader of JAX: with Batch(64, drop_remainder=True) the count of records that one epoch delivers
# falls with worker_count. Of 1,000 records eight workers deliver 512, and sixteen deliver none: the loop ends at once, without
# an error or a warning. With drop_remainder=False the last batch of every worker is short.
#
# The guess before it was run: workers make loading faster, and batches hold the same records as without them, as those of a
# PyTorch DataLoader over a data set with indices do. At most 63 records are left out.
#
# The reason: the sampler deals the records out to the workers, and each worker makes batches of its own share, so every
# worker leaves out a remainder.
#
# What follows for users: a distance or a test over one epoch rests on a part of the data that depends on the machine, and a
# training with another number of workers sees other batches under the same seed. Use drop_remainder=False, or batch in
# the main process: call DataLoader without Batch and group what it delivers.
#
# What was seen, for 1,000 records and batches of 64, with drop_remainder=True and without it:
#   workers    0    960 records in 15 batches     1000 in 16, of which the shortest has 40
#   workers    2    896 in 14                     1000 in 16, 52
#   workers    4    768 in 12                     1000 in 16, 58
#   workers    8    512 in  8                     1000 in 16, 61
#   workers   16      0 in  0                     1000 in 16, 62
#   workers    8, batches made afterwards         1000 in 16, 40, the same batches as without workers
#
# Exits 0 while this is so, 1 when the behaviour changed. Downloads about 50 MB.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install --no-compile grain==0.2.18 array-record==0.8.6 numpy==2.2.6 \
  protobuf==7.36.2

cat >"$folder/load.py" <<'PYTHON'
import sys

import grain.python as grain

RECORDS, BATCH = 1000, 64


def loaded(operations, workers):
    sampler = grain.IndexSampler(RECORDS, shuffle=True, num_epochs=1, shard_options=grain.NoSharding(), seed=0)
    loader = grain.DataLoader(data_source=range(RECORDS), sampler=sampler, operations=operations, worker_count=workers)
    return [one.tolist() if operations else one for one in loader]


def count(batches):
    assert len({record for batch in batches for record in batch}) == sum(map(len, batches))
    return sum(map(len, batches)), len(batches), min(map(len, batches), default=None)


def main():
    seen = {}
    for workers in (0, 2, 4, 8, 16):
        seen[workers] = [count(loaded([grain.Batch(BATCH, drop_remainder=drop)], workers)) for drop in (True, False)]
        print(f'{workers:2} workers: {seen[workers][0][0]:4} records, without drop_remainder {seen[workers][1]}', flush=True)
    alone = loaded([grain.Batch(BATCH)], 0)
    records = loaded([], 8)
    afterwards = [records[at:at + BATCH] for at in range(0, RECORDS, BATCH)]
    same = afterwards == alone, loaded([grain.Batch(BATCH)], 8) == alone
    print(f'the same batches as without workers: made afterwards {same[0]}, by 8 workers {same[1]}')
    delivered = [seen[workers][0][0] for workers in seen]
    sys.exit(0 if delivered == [960, 896, 768, 512, 0] and all(whole[0] == RECORDS for _, whole in seen.values())
             and [whole[2] for _, whole in seen.values()] == [40, 52, 58, 61, 62] and same == (True, False) else 1)


if __name__ == '__main__':
    main()
PYTHON
"$folder/venv/bin/python" -W ignore "$folder/load.py" 2>/dev/null
