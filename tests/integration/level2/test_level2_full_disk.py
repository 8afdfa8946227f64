"""A file of books that finds no room is closed and gone, whatever its library does about it."""

import subprocess
import sys

SCENE = """
import os, resource, sys
from pathlib import Path
import pyarrow as pa
from tradingd.kits.failure import Failure
from tradingd.level2.columns import snapshot_schema
from tradingd.level2.writer import SnapshotWriter

folder = Path(sys.argv[1])
schema = snapshot_schema(10)
noise = lambda kind: pa.array(range(2**20, 2**20 + 7919 * 70_000, 7919)).cast(pa.int64())
batch = pa.RecordBatch.from_arrays(
    [pa.nulls(70_000, one.type) if one.nullable else noise(one).cast(one.type, safe=False)
     if not pa.types.is_string(one.type) and not pa.types.is_boolean(one.type)
     else pa.array(["A"] * 70_000, one.type) if pa.types.is_string(one.type)
     else pa.array([False] * 70_000) for one in schema],
    schema=schema,
)
open_files = lambda: sum(os.path.exists(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd"))
writer = SnapshotWriter(folder / "a.parquet", schema, {})
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
before = open_files()
try:
    writer.write(batch)
    writer.commit()
except Failure as failure:
    writer.abort()
    print(failure.code, open_files() - before, os.listdir(folder))
"""


def test_a_writer_that_meets_a_full_disk_leaves_neither_a_file_nor_a_descriptor(tmp_path):
    words = [sys.executable, "-c", SCENE, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["19", "0", "[]"], "")
