"""The demonstration on files one has: one publication, and lists asked in their order."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import read_table
from padan_client.records.registry_codes import chosen_columns, latest_rows, row_codes
from padan_client.records.table_files import write_table
from padan_client.rehearse.sides import DEFAULT_IDS
from padan_lab.demo.cast import Cast, today
from padan_lab.demo.demonstration import ESTIMATES, claim_folder, require_server, stage
from padan_lab.demo.deployment import Deployment, StepError
from padan_lab.demo.flows import ChosenFlow
from padan_lab.demo.judging import (
    Judgement,
    RightAnswers,
    SeenRows,
    differing,
    judge,
    right_answers,
)
from padan_lab.demo.score import Score, joined
from padan_lab.demo.stopwatch import Announce, Stopwatch
from padan_linkage.agreement import Flow


@dataclass(frozen=True)
class OwnFiles:
    """What is asked about what, and how the files' columns are named.

    ``truths``: none, one for all lists, or one for each. ``columns``: fields and their columns, for
    every file that has such a column; "" is a field that the lists do not have. ``status``: as
    ``padan publish`` takes it. ``id_column``: of the files that have it. ``again``: every list is
    asked twice. ``restart``: the servers are restarted between lists.
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
class _File:
    """A file as it is asked or published, all its cells as text."""

    path: Path
    table: pa.Table
    id_column: str | None

    @property
    def ids(self) -> list[str]:
        """What names the rows: a column, or their numbers from 1."""
        if self.id_column is None:
            return [str(n) for n in range(1, self.table.num_rows + 1)]
        return [(value or "").strip() for value in self.table.column(self.id_column).to_pylist()]

    def options(self, columns: Sequence[tuple[str, str]], *, asked: bool) -> list[str]:
        """What the commands have to be told of it."""
        there = {
            name: column
            for name, column in columns
            if column in self.table.column_names or (asked and not column)
        }
        named = ["--id", self.id_column] if self.id_column else []
        return named + [o for item in there.items() for o in ("--map", "=".join(item))]


@dataclass(frozen=True, repr=False)
class AnsweredList:
    """One list's answers: what ``padan confirm`` printed, and what the truth says of it.

    ``error``: the command's own message where it gave no answers. ``before``: how many rows were
    asked earlier with the same cells, and how many of them were answered differently. ``again``:
    rows that a second asking answered differently; None where there was none.
    """

    list: Path
    codes: Path
    rows: int
    seconds: float
    confirmed: Mapping[str, Any] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    judgement: Judgement | None = None
    before: Mapping[str, int] = field(default_factory=dict)
    again: int | None = None
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        told: dict[str, object] = {"list": str(self.list), "rows": self.rows}
        if self.error:
            return told | {"error": self.error}
        return {
            **told,
            "codes": str(self.codes),
            "quarantine": self.confirmed["quarantine"],
            "counts": self.confirmed["counts"],
            "outcomes": dict(self.outcomes),
            **(self.judgement.as_json() if self.judgement else {}),
            **{name: self.confirmed[name] for name in ESTIMATES},
            "edition": self.confirmed.get("edition"),
            "unopened_by_pass": self.confirmed["unopened_by_pass"],
            "seen_before": dict(self.before),
            "differing_again": self.again,
            "seconds": round(self.seconds, 2),
        }


@dataclass(frozen=True, repr=False)
class PlayedFiles:
    """What the demonstration showed; ``published`` is what ``padan publish`` printed."""

    site: Deployment
    chosen: ChosenFlow
    published: Mapping[str, Any]
    asked: tuple[AnsweredList, ...]
    seconds: Mapping[str, float]

    @property
    def score(self) -> Score | None:
        """Of all lists together; None without a truth."""
        known = [a.judgement.score for a in self.asked if a.judgement]
        return sum(known, Score(0, 0, 0)) if known else None

    @property
    def refused(self) -> bool:
        """Whether some list got no answers."""
        return any(asked.error for asked in self.asked)

    def as_json(self) -> dict[str, object]:
        """The object that ``padan demo --registry … --json`` prints."""
        counts: Counter[str] = Counter()
        for asked in self.asked:
            counts.update(asked.confirmed.get("counts", {}))
        return {
            "agreement": self.site.agreement_id,
            "flow": self.site.flow_id,
            "mode": self.chosen.mode,
            "registry": dict(self.published),
            "candidates": sum(asked.rows for asked in self.asked),
            "counts": dict(counts),
            **(self.score.as_json() if self.score else {}),
            "lists": [asked.as_json() for asked in self.asked],
            "seconds": round(sum(self.seconds.values()), 2),
            "stages": {name: round(value, 2) for name, value in self.seconds.items()},
            "simulated_time": self.site.simulated_time,
            "out": str(self.site.folder),
        }


def play_files(
    chosen: ChosenFlow, files: OwnFiles, *, folder: Path, announce: Announce
) -> PlayedFiles:
    """Publish the registry once, ask the lists one after the other, compare with the truth.

    A list that is refused is told with its message, and the next one asked. Raises BadInputError
    for files that cannot be read, and StepError for a registry that is not published.
    """
    require_server()
    registry = _read(files.registry, files.id_column)
    lists = [_read(path, files.id_column) for path in files.lists]
    _refuse_unused(files, [registry, *lists])
    claim_folder(folder)
    clock = Stopwatch(announce)
    site = stage(chosen, folder, clock)
    registry = _named(registry, folder / "data" / "registry.csv")
    truths = _truths(files, chosen.flow, site, registry, lists)
    with Cast(site, chosen.flow, chosen.mode) as cast:
        options = registry.options(files.columns, asked=False) + _status_options(files.status)
        published = cast.publish(registry.path, clock, *options)
        asked = _Asking(site, cast, files, clock).all(lists, truths)
    played = PlayedFiles(site, chosen, published, tuple(asked), clock.seconds)
    text = json.dumps(played.as_json(), indent=2, ensure_ascii=False, default=str)
    (folder / "demo.json").write_text(text + "\n", encoding="utf-8")
    return played


class _Asking:
    """Asks list after list, and remembers what was answered."""

    def __init__(self, site: Deployment, cast: Cast, files: OwnFiles, clock: Stopwatch) -> None:
        self._site, self._cast, self._files, self._clock = site, cast, files, clock
        self._seen = SeenRows()
        self._first = True

    def all(
        self, lists: Sequence[_File], truths: Sequence[RightAnswers | None]
    ) -> list[AnsweredList]:
        """Ask every list, and where it is wanted all of them once more."""
        endings = ["", *(f"-{n}" for n in range(2, len(lists) + 1))]
        every = list(zip(lists, endings, strict=True))
        asked = [self._ask(*one, truth) for one, truth in zip(every, truths, strict=True)]
        if not self._files.again:
            return asked
        return [self._compared(a, *one) for a, one in zip(asked, every, strict=True)]

    def _compared(self, asked: AnsweredList, file: _File, ending: str) -> AnsweredList:
        """The same answers, with how many rows another asking answers differently."""
        once_more = self._ask(file, f"{ending}-lagi", None)
        if asked.error or once_more.error:
            return replace(asked, error=asked.error or once_more.error)
        changed = differing(read_table(asked.codes), read_table(once_more.codes))
        return replace(asked, again=changed)

    def _ask(self, file: _File, ending: str, truth: RightAnswers | None) -> AnsweredList:
        if self._files.restart and not self._first:
            self._cast.restart()
        self._first = False
        codes = self._site.folder / f"codes{ending}.csv"
        rows, name = file.table.num_rows, f"confirm{ending}"
        error, confirmed = "", {}
        with self._clock.stage(name, t(f"Daftar {file.path.name}", f"List {file.path.name}")):
            try:
                options = file.options(self._files.columns, asked=True)
                confirmed = self._cast.confirm(file.path, ending, *options)
            except StepError as e:
                error = str(e)
        seconds = self._clock.seconds[name]
        if error:
            return AnsweredList(file.path, codes, rows, seconds, error=error)
        answers = read_table(codes)
        return AnsweredList(
            file.path,
            codes,
            rows,
            seconds,
            confirmed,
            Counter(answers["hasil"].to_pylist()),
            None if truth is None else judge(answers, truth),
            self._seen.compare(file.table, answers, file.id_column),
        )


def _read(path: Path, id_column: str | None) -> _File:
    """A file, and its column of ids: the one named, else rec_id or id where there is one."""
    table = read_table(path)
    wanted = DEFAULT_IDS if id_column is None else (id_column,)
    return _File(path, table, next((name for name in wanted if name in table.column_names), None))


def _status_options(status: str | Mapping[str, str] | None) -> list[str]:
    if isinstance(status, str):
        return ["--status", status]
    return [o for item in (status or {}).items() for o in ("--status", "=".join(item))]


def _named(registry: _File, copy: Path) -> _File:
    """The registry, its rows named by their numbers in a copy where no column names them."""
    if registry.id_column is not None:
        return registry
    numbers = pa.array(registry.ids, pa.string())
    table = registry.table.add_column(0, DEFAULT_IDS[0], numbers)
    write_table(copy, table)
    return _File(copy, table, DEFAULT_IDS[0])


def _refuse_unused(files: OwnFiles, read: Sequence[_File]) -> None:
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


def _truths(
    files: OwnFiles, flow: Flow, site: Deployment, registry: _File, lists: Sequence[_File]
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
    flow: Flow, registry: _File, status: str | Mapping[str, str] | None, site: Deployment
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
    ids = _File(registry.path, table, registry.id_column).ids
    return dict(zip(ids, texts[where.reshape(-1)].tolist(), strict=True))
