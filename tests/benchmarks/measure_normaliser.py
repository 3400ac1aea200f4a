"""What normalising costs, by kind, and what of it goes where.

    python tests/benchmarks/measure_normaliser.py [--rows 1000000] [--rounds 5] [--core 0]
        [--profile]

Generated people of the ``register`` profile, with NIKs as a registry has them: a tenth written with
blanks, an apostrophe or a fault. All rounds run on one pinned core. The first round reads every
shape of a name for the first time and is shown apart from the best and the median. Times are this
process's on the core: what others do there does not count. ``--profile`` adds the functions in
which Python itself spends its time.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from padan_client.records import read_table
from padan_lab.generate import FileRequest, Level, PopulationProfile, write_files
from padan_linkage.normalise import derive, normalise
from padan_linkage.normalise.names.name_parts import _later_part, read_first_part
from padan_linkage.normalise.names.persons import read_shape
from padan_linkage.schema import Kind

KEYS = ("phonetic", "telling", "letters")


def columns(rows: int) -> dict[Kind, pa.StringArray]:
    """Names, birth dates as a list writes them, and NIKs that agree with them."""
    with tempfile.TemporaryDirectory() as folder:
        request = FileRequest(PopulationProfile.REGISTER, rows, 1, Level.REAL, rows)
        write_files(request, Path(folder), lambda _done, _all: None)
        table = read_table(Path(folder) / "list.csv")
    names = table.column("nama").combine_chunks()
    dates = table.column("tanggal_lahir").combine_chunks()
    days = normalise(Kind.DATE, dates).values.to_pylist()
    rng = np.random.default_rng(1)
    serials = rng.integers(1, 9999, len(days))
    districts = rng.integers(1, 40, len(days))
    niks = [
        f"3171{k:02d}{d[8:]}{d[5:7]}{d[2:4]}{s:04d}" if d else ""
        for d, k, s in zip(days, districts, serials, strict=True)
    ]
    for i in range(0, len(niks), 10):
        niks[i] = (f"'{niks[i]}", f" {niks[i]} ", niks[i][:-1], "3.2E+15")[i // 10 % 4]
    return {Kind.PERSON_NAME: names, Kind.DATE: dates, Kind.NIK: pa.array(niks)}


def say(line: str) -> None:
    """Write one line of the result."""
    sys.stdout.write(line + "\n")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--core", type=int, default=0)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    data = columns(args.rows)
    os.sched_setaffinity(0, {args.core})
    for kind, column in data.items():
        normalise(kind, column.slice(0, 1000))
    jobs = {kind.value: (lambda k=kind: normalise(k, data[k])) for kind in data}
    names = normalise(Kind.PERSON_NAME, data[Kind.PERSON_NAME]).values
    jobs |= {f"nama:{key}": (lambda k=key: derive(Kind.PERSON_NAME, k, names)) for key in KEYS}
    for cache in (read_shape, read_first_part, _later_part):
        cache.cache_clear()
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(args.rounds):
        for name, job in jobs.items():
            begin = time.process_time()
            job()
            seconds[name].append(time.process_time() - begin)
    rows = len(names)
    for name, taken in seconds.items():
        each = [1e6 * f(taken) / rows for f in (lambda t: t[0], min, statistics.median)]
        say(f"{name:15} first {each[0]:6.3f} us a row, best {each[1]:6.3f}, median {each[2]:6.3f}")
    for what, chosen in (("first", lambda t: t[0]), ("best", min)):
        whole = sum(chosen(seconds[kind.value]) for kind in data)
        say(f"name + date + NIK, {what} round: {rows / whole:,.0f} records/s on one core")
    if args.profile:
        profile = cProfile.Profile()
        profile.runcall(lambda: [normalise(k, c) for k, c in data.items()])
        pstats.Stats(profile).sort_stats("tottime").print_stats(15)


if __name__ == "__main__":
    main()
