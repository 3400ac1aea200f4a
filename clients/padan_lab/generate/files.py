"""Generated files: a registry, a list, the pairs, and every error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from padan_lab.generate.plans import FilePlan, Making
from padan_lab.generate.profiles import PopulationProfile, profile
from padan_lab.generate.rates import Level
from padan_lab.generate.sides import Batch

#: Rows written at a time.
BATCH_ROWS = 1 << 17


class Format(StrEnum):
    """Of the two tables; truth and errors are always CSV."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True)
class FileRequest:
    """What to make. ``listed``, ``inside``, ``copies``: None for what is usual for the profile.

    ``dress``: what is done to a registry as generated, whole, to make it what its owner keeps.
    """

    profile: PopulationProfile | FilePlan
    rows: int
    seed: int
    level: Level
    listed: int | None = None
    inside: float | None = None
    format: Format = Format.CSV
    copies: float | None = None
    dress: Callable[[pa.Table], pa.Table] | None = None

    def files(self, folder: Path) -> dict[str, Path]:
        """Where :func:`write_files` writes what."""
        suffix = self.format.value
        tables = {name: folder / f"{name}.{suffix}" for name in ("registry", "list")}
        return tables | {name: folder / f"{name}.csv" for name in ("truth", "errors")}


@dataclass(frozen=True)
class Written:
    """What was made: files by what they hold, and how many rows, pairs and errors."""

    files: dict[str, Path]
    rows: int
    listed: int
    pairs: int
    errors: int


def write_files(
    request: FileRequest, folder: Path, progress: Callable[[int, int], None]
) -> Written:
    """Write ``registry``, ``list``, ``truth.csv`` and ``errors.csv`` into ``folder``.

    ``truth.csv`` has the list's id as rec_id_a and the registry's as rec_id_b. ``progress`` is
    called with rows done and rows in all. The files are the same for the same request, and the
    people are the same at every level. Memory: some 120 bytes a row and one batch; the registry
    where it is dressed. The rows of ``errors.csv`` are those of the undressed registry, which its
    ids count.
    """
    making = _making(request)
    folder.mkdir(parents=True, exist_ok=True)
    files = request.files(folder)
    errors = done = 0
    with _table(files["errors"]) as write_errors:
        sides = ("registry", _registry(making, request)), ("list", making.list(BATCH_ROWS))
        for name, batches in sides:
            with _table(files[name]) as write:
                for batch in batches:
                    write(batch.table)
                    write_errors(batch.errors)
                    errors += batch.errors.num_rows
                    done += batch.table.num_rows
                    progress(done, making.rows + making.listed)
    with _table(files["truth"]) as write:
        write(making.truth())
    return Written(files, making.rows, making.listed, len(making.seating.pairs), errors)


def _registry(making: Making, request: FileRequest) -> Iterator[Batch]:
    if request.dress is None:
        yield from making.registry(BATCH_ROWS)
        return
    whole = list(making.registry(BATCH_ROWS))
    table = request.dress(pa.concat_tables(b.table for b in whole).combine_chunks())
    yield Batch(table, pa.concat_tables(b.errors for b in whole))


def _making(request: FileRequest) -> Making:
    plan = request.profile
    if not isinstance(plan, FilePlan):
        plan = profile(plan)
    listed = request.listed or max(1, round(request.rows * plan.list_share))
    share = plan.inside if request.inside is None else request.inside
    inside = min(round(listed * share), request.rows)
    return Making(
        plan,
        request.rows,
        listed,
        inside,
        seed=request.seed,
        level=request.level,
        copies=request.copies,
    )


@contextmanager
def _table(path: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Write tables one after the other into a file of the kind its name says."""
    writer: pacsv.CSVWriter | pq.ParquetWriter | None = None

    def write(table: pa.Table) -> None:
        nonlocal writer
        if writer is None:
            kind = pq.ParquetWriter if path.suffix == ".parquet" else pacsv.CSVWriter
            writer = kind(path, table.schema)
        writer.write_table(table)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()
