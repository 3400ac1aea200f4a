"""The files that a demonstration is given: their columns, their ids, and what the truth says."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.formats import EXACT
from padan_client.base.language import t
from padan_client.records import read_table
from padan_client.records.columns import match_columns
from padan_client.records.registry_codes import chosen_columns, latest_rows, row_codes
from padan_client.records.table_files import write_table
from padan_client.rehearse.sides import DEFAULT_IDS
from padan_lab.demo.cast import today
from padan_lab.demo.deployment import Deployment
from padan_lab.demo.judging import RightAnswers, right_answers
from padan_lab.demo.score import joined
from padan_linkage.agreement import Flow

#: By field its column, "" for none.
Columns: TypeAlias = Mapping[str, str]


@dataclass(frozen=True)
class OwnFiles:
    """What is asked about what, and how the files' columns are named.

    ``truths``: none, one for all lists, or one for each. ``columns``: fields and their columns, for
    every file that has such a column; "" is a field that the lists do not have. A field for which a
    file has no column, by whatever name it is recognised, is missing there, and the result says
    so. ``status``: as ``padan publish`` takes it. ``id_column``: of the files that have it.
    ``again``: every list is asked twice. ``restart``: the servers are restarted between lists.
    """

    registry: Path
    lists: tuple[Path, ...]
    truths: tuple[Path, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()
    status: str | Mapping[str, str] | None = None
    id_column: str | None = None
    again: bool = False
    restart: bool = False


@dataclass(frozen=True, repr=False)
class GivenFile:
    """A file as it is asked or published, all its cells as text."""

    path: Path
    table: pa.Table
    id_column: str | None
    columns: Columns

    @property
    def ids(self) -> list[str]:
        """What names the rows: a column, or their numbers from 1."""
        if self.id_column is None:
            return [str(n) for n in range(1, self.table.num_rows + 1)]
        return [(value or "").strip() for value in self.table.column(self.id_column).to_pylist()]

    @property
    def without(self) -> list[str]:
        """Fields for which it has no column."""
        return [name for name, column in self.columns.items() if not column]

    @property
    def options(self) -> list[str]:
        """What the commands have to be told of it."""
        named = ["--id", self.id_column] if self.id_column else []
        return named + [o for item in self.columns.items() for o in ("--map", "=".join(item))]


def read_given(path: Path, files: OwnFiles, flow: Flow, *, asked: bool) -> GivenFile:
    """A file, and its column of ids: the one named, else rec_id or id where there is one."""
    table = read_table(path)
    wanted = DEFAULT_IDS if files.id_column is None else (files.id_column,)
    id_column = next((name for name in wanted if name in table.column_names), None)
    return GivenFile(path, table, id_column, _columns(table, files, flow, asked=asked))


def _columns(table: pa.Table, files: OwnFiles, flow: Flow, *, asked: bool) -> Columns:
    """The column of every field, "" for one that the file does not have."""
    assert flow.schema is not None
    given = {
        name: column
        for name, column in files.columns
        if column in table.column_names or (asked and not column)
    }
    found = match_columns(table.column_names, flow.schema, given)
    return {field.name: found.by_field.get(field.name, "") for field in flow.schema.fields}


def status_options(status: str | Mapping[str, str] | None) -> list[str]:
    """``--status`` as the command takes it."""
    if isinstance(status, str):
        return ["--status", status]
    return [o for item in (status or {}).items() for o in ("--status", "=".join(item))]


def named_rows(registry: GivenFile, copy: Path) -> GivenFile:
    """The registry, its rows named by their numbers in a copy where no column names them."""
    if registry.id_column is not None:
        return registry
    numbers = pa.array(registry.ids, pa.string())
    table = registry.table.add_column(0, DEFAULT_IDS[0], numbers)
    write_table(copy, table, EXACT)
    return GivenFile(copy, table, DEFAULT_IDS[0], registry.columns)


def refuse_unused(files: OwnFiles, read: Sequence[GivenFile]) -> None:
    """Raise BadInputError for a column of --id or --map that no file has."""
    present = {name for file in read for name in file.table.column_names}
    wanted = [column for _, column in files.columns] + [files.id_column or ""]
    if absent := sorted({column for column in wanted if column} - present):
        raise BadInputError(
            t(
                f"Kolom {', '.join(absent)} tidak ada di berkas mana pun.",
                f"No file has a column {', '.join(absent)}.",
            )
        )
    if len(files.truths) not in {0, 1, len(files.lists)}:
        raise BadInputError(
            t(
                "--truth: satu untuk semua daftar, atau satu untuk tiap daftar.",
                "--truth: one for all lists, or one for each.",
            )
        )


def truths_of(
    files: OwnFiles, flow: Flow, site: Deployment, registry: GivenFile, lists: Sequence[GivenFile]
) -> list[RightAnswers | None]:
    """The right answers of each list."""
    if not files.truths:
        return [None] * len(lists)
    answers = _registry_answers(flow, registry, files.status, site)
    ids: list[Collection[str]] = [set(file.ids) for file in lists]
    if len(files.truths) > 1:
        each = zip(files.truths, ids, strict=True)
        return [right_answers(path, flow, asked, answers) for path, asked in each]
    everybody = set().union(*ids)
    return [right_answers(files.truths[0], flow, everybody, answers)] * len(lists)


def _registry_answers(
    flow: Flow, registry: GivenFile, status: str | Mapping[str, str] | None, site: Deployment
) -> dict[str, str]:
    """Id to codes, joined, by the agreement's rule; "" for a row that has none."""
    table = registry.table
    chosen = chosen_columns(flow, table, status)
    if flow.latest_by is not None:
        table = latest_rows(table, registry.id_column or "", chosen[flow.latest_by]).table
    masks, problems = row_codes(flow, table, chosen, today(site))
    masks[list(problems)] = 0
    distinct, where = np.unique(masks, return_inverse=True)
    texts = np.array([joined(c.code for c in flow.codes_of(int(mask))) for mask in distinct])
    ids = replace(registry, table=table).ids
    return dict(zip(ids, texts[where.reshape(-1)].tolist(), strict=True))
