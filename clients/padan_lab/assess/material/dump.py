"""Reading what `padan rehearse --dump-encodings` and `padan encode` wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import ValidationError

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import read_table
from padan_lab.assess.material.attacker_view import Column, Numbers, Seen, SeenTable
from padan_linkage.schema import Pass, Schema

_COLUMNS = ("keys", "filters", "presence")


@dataclass(frozen=True, repr=False)
class Dump:
    """One side's tables, by pass id.

    ``records``: the owner's normalised records, ``tables`` with the row order; both None in a
    bundle of `padan encode`, which keeps neither. ``rows``: rows a pass.
    """

    schema: Schema
    seen: Mapping[str, Seen]
    tables: Mapping[str, SeenTable] | None
    records: Mapping[str, pa.StringArray] | None
    rows: int


def read_dump(folder: Path, side: str) -> Dump:
    """Read ``folder``; ``side`` is "a" or "b" in a rehearsal's dump. Raises BadInputError."""
    schema = _schema(folder)
    if (folder / "unit").is_dir():
        return _rehearsal(folder, side, schema)
    if (folder / "manifest.json").is_file():
        seen = {p.id: _seen(folder / p.id, p) for p in schema.passes}
        return Dump(schema, seen, None, None, len(seen[schema.passes[0].id]))
    raise BadInputError(
        t(
            f"{folder}: bukan folder dari padan rehearse --dump-encodings atau padan encode.",
            f"{folder}: no folder of padan rehearse --dump-encodings or padan encode.",
        )
    )


def _schema(folder: Path) -> Schema:
    try:
        text = (folder / "schema.json").read_text("utf-8")
        return Schema.model_validate(json.loads(text))
    except (OSError, ValueError, ValidationError) as e:
        raise BadInputError(
            t(
                f"{folder}: schema.json tidak ada atau tidak sah. Buat salinan baru.",
                f"{folder}: schema.json is missing or invalid. Make a new dump.",
            )
        ) from e


def _rehearsal(folder: Path, side: str, schema: Schema) -> Dump:
    seen, tables = {}, {}
    for p in schema.passes:
        seen[p.id] = _seen(folder / "unit" / side / p.id, p)
        kept = folder / "owner" / side / p.id
        person, group = (_array(kept / f"{n}.npy") for n in ("record_of_row", "group_of_row"))
        tables[p.id] = SeenTable(seen[p.id], person.astype(np.int64), group.astype(np.int64))
    table = read_table(folder / "owner" / side / "records.csv")
    records = {f.name: _strings(table, f.name) for f in schema.fields}
    return Dump(schema, seen, tables, records, len(seen[schema.passes[0].id]))


def _strings(table: pa.Table, name: str) -> pa.StringArray:
    return pa.array([v or "" for v in table.column(name).to_pylist()], pa.string())


def _seen(folder: Path, p: Pass) -> Seen:
    columns: dict[str, Column] = {
        name: _array(folder / f"{name}.npy")
        for name in _COLUMNS
        if name == "keys" or (folder / f"{name}.npy").is_file()
    }
    if p.similar and "filters" not in columns:
        raise BadInputError(_unreadable(folder / "filters.npy"))
    return Seen.of(p, columns)


def _array(path: Path) -> NDArray[np.uint8]:
    try:
        array: NDArray[np.uint8] = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as e:
        raise BadInputError(_unreadable(path)) from e
    return array


def _unreadable(path: Path) -> str:
    return t(
        f"{path}: tidak ada atau tidak dapat dibaca. Buat salinan baru.",
        f"{path}: missing or unreadable. Make a new dump.",
    )


def sample(table: SeenTable, most: int, seed: int) -> tuple[SeenTable, Numbers]:
    """Whole buckets of a table, at random, up to ``most`` rows; and the persons in them.

    Rows of different buckets are never compared, so nothing between the chosen rows is lost;
    telling the attacker which persons are among them favours her.
    """
    rng = np.random.default_rng(seed)
    blocks, sizes = np.unique(table.seen.blocks, return_counts=True)
    order = rng.permutation(len(blocks))
    kept = blocks[order[: max(1, int(np.searchsorted(np.cumsum(sizes[order]), most, "right")))]]
    rows = np.flatnonzero(np.isin(table.seen.blocks, kept))
    persons = np.unique(table.person[rows])
    persons = persons[persons >= 0]
    place = np.full(int(table.person.max(initial=0)) + 1, -1, np.int64)
    place[persons] = np.arange(len(persons))
    person = np.where(table.person[rows] >= 0, place[table.person[rows]], -1)
    return SeenTable(table.seen.rows(rows), person, table.group[rows]), persons
