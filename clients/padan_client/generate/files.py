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

from padan_client.generate.draws import Draws
from padan_client.generate.profiles import ProfileName, profile
from padan_client.generate.rates import Level
from padan_client.generate.sides import Seating, Side, batches, row_ids, seat

#: Rows written at a time.
BATCH_ROWS = 1 << 17


class Format(StrEnum):
    """Of the two tables; truth and errors are always CSV."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Request:
    """What to make. ``listed`` and ``inside``: None for what is usual for the profile."""

    profile: ProfileName
    rows: int
    seed: int
    level: Level
    listed: int | None = None
    inside: float | None = None
    format: Format = Format.CSV


@dataclass(frozen=True)
class Written:
    """What was made: files by what they hold, and how many rows, pairs and errors."""

    files: dict[str, Path]
    rows: int
    listed: int
    pairs: int
    errors: int


def write_files(request: Request, folder: Path, progress: Callable[[int, int], None]) -> Written:
    """Write ``registry``, ``list``, ``truth.csv`` and ``errors.csv`` into ``folder``.

    ``truth.csv`` has the list's id as rec_id_a and the registry's as rec_id_b. ``progress`` is
    called with rows done and rows in all. The files are the same for the same request, and the
    people are the same at every level. Memory: some 50 bytes a row and one batch.
    """
    plan = profile(request.profile)
    listed = request.listed or max(1, round(request.rows * plan.list_share))
    share = plan.inside if request.inside is None else request.inside
    inside = min(round(listed * share), request.rows)
    twice = (
        plan.registry.rates.at(request.level).duplicate,
        plan.list.rates.at(request.level).duplicate,
    )
    seating = seat(request.rows, listed, inside, Draws(request.seed, "seats"), twice=twice)
    world = plan.world(request.rows + listed - inside, request.seed)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = request.format.value
    files = {name: folder / f"{name}.{suffix}" for name in ("registry", "list")}
    files |= {name: folder / f"{name}.csv" for name in ("truth", "errors")}
    errors = 0
    done = 0
    with _table(files["errors"]) as write_errors:
        for side, rows in ((plan.registry, seating.registry), (plan.list, seating.list)):
            with _table(files[side.name]) as write:
                for batch in batches(side, rows, world, request.seed, request.level, BATCH_ROWS):
                    write(batch.table)
                    write_errors(batch.errors)
                    errors += batch.errors.num_rows
                    done += batch.table.num_rows
                    progress(done, request.rows + listed)
    with _table(files["truth"]) as write:
        write(truth_table(plan.registry, plan.list, seating))
    return Written(files, request.rows, listed, len(seating.pairs), errors)


def truth_table(registry: Side, listed: Side, seating: Seating) -> pa.Table:
    """The pairs' ids: rec_id_a of the list, rec_id_b of the registry."""
    return pa.table(
        {
            "rec_id_a": row_ids(listed.letter, seating.pairs[:, 1]),
            "rec_id_b": row_ids(registry.letter, seating.pairs[:, 0]),
        }
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
