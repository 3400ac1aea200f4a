"""One pass over a file: what each column shows, what columns say of each other, what repeats."""

from __future__ import annotations

import datetime as dt
import itertools
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.lint.columns import CheckedColumn
from padan_client.lint.duplicates import Repeats
from padan_client.lint.quarantine import Quarantine
from padan_client.lint.report import ColumnCount, DataFinding, LintReport
from padan_client.lint.signs import Sign, nik_against, nip_against, signs_of_values
from padan_client.lint.texts import CHECK, EMPTY, NOTE, severity
from padan_client.records import Batches, Tell, open_batches, untold
from padan_client.records.preparing import empty_rows
from padan_linkage.normalise import Fault, Problem, normalise, sound_values
from padan_linkage.schema import Kind

Choose = Callable[[pa.Table], list[CheckedColumn]]
#: Kinds whose values name one person or company.
_UNIQUE = frozenset({
    Kind.NIK, Kind.NIP, Kind.NPWP, Kind.PASSPORT, Kind.JKN_CARD, Kind.BPJSTK_NUMBER, Kind.NIB,
})  # fmt: skip
#: Lengths of values that are counted, and how a column's limit shows: so many at the very maximum.
_LENGTHS, _SHORTEST_LIMIT, _AT_LIMIT = 256, 15, 0.002


def lint(
    path: Path,
    choose: Choose,
    *,
    quarantine: Path | None = None,
    today: dt.date | None = None,
    progress: Callable[[int, int], None] | None = None,
    sheet: str | None = None,
    tell: Tell = untold,
) -> LintReport:
    """Look at every row of the file once.

    ``choose`` says, from the file's first rows, what to look at; ``quarantine`` is where rows to
    look at are written; ``progress`` gets bytes done and in all; ``sheet`` and ``tell`` are
    those of :func:`open_batches`. Raises BadInputError for a file that cannot be read, and where
    nothing is to be looked at.
    """
    batches = open_batches(path, sheet, tell)
    first = next(batches.tables, None)
    if first is None or not (first.num_rows or batches.ragged):
        raise BadInputError(t("Tidak ada baris data.", "There is no data row."))
    watched = choose(first)
    if not any(w.column for w in watched):
        raise BadInputError(
            t(
                "Tidak ada kolom yang dikenali. Sebutkan dengan --map ruas=KOLOM.",
                "No column is recognised. Name them with --map field=COLUMN.",
            )
        )
    with tempfile.TemporaryDirectory() as folder, Quarantine(quarantine) as rows:
        pass_ = _Pass(watched, rows, Path(folder), today or dt.datetime.now(dt.UTC).date())
        _stream(pass_, batches, first, progress)
        return pass_.report(path.name, batches)


def _stream(
    pass_: _Pass, batches: Batches, first: pa.Table, progress: Callable[[int, int], None] | None
) -> None:
    done, left_out = 0, sorted([*batches.ragged, *batches.empty])
    for table in itertools.chain([first], batches.tables):
        pass_.look(table, left_out)
        done += table.nbytes
        if progress is not None:
            progress(min(done, batches.size), batches.size)


class _Column:
    """Counts of one column."""

    def __init__(self, watched: CheckedColumn, column: str, repeats: Repeats | None) -> None:
        self.watched, self.name, self.repeats = watched, column, repeats
        self.codes: Counter[str] = Counter()
        self.of: Counter[str] = Counter()
        self.filled, self.troubled = 0, 0
        self.lengths = np.zeros(_LENGTHS + 1, np.int64)


class _Pass:
    """The state of one pass over a file."""

    def __init__(
        self, watched: Sequence[CheckedColumn], quarantine: Quarantine, folder: Path, today: dt.date
    ) -> None:
        key = secrets.token_bytes(16)
        self._today, self._quarantine, self._rows = today, quarantine, 0
        self._empty: list[int] = []
        self._absent = tuple(w.field for w in watched if w.column is None)
        self._columns = [
            _Column(w, w.column, Repeats(folder, f"{n}", key) if w.kind in _UNIQUE else None)
            for n, w in enumerate(watched)
            if w.column is not None
        ]
        self._persons = Repeats(folder, "person", key)

    def look(self, table: pa.Table, left_out: Sequence[int]) -> None:
        """Take in the next rows; ``left_out`` are the numbers of those that are in no table."""
        rows = _row_numbers(self._rows, table.num_rows, left_out)
        self._rows += table.num_rows
        self._empty += rows[empty_rows(table)].tolist()
        normal = [self._look_at(column, table, rows) for column in self._columns]
        self._look_across(normal, rows)
        names = [v for c, v in zip(self._columns, normal, strict=True) if _is_name(c)]
        birth = self._birth(normal)
        if names and birth is not None:
            self._persons.add([*names, birth], rows)

    def _look_at(self, column: _Column, table: pa.Table, rows: NDArray[np.int64]) -> pa.StringArray:
        """One column of the batch; its sound normal form."""
        kind = column.watched.kind
        written = pc.fill_null(table.column(column.name).cast(pa.string()).combine_chunks(), "")
        result = normalise(kind, written)
        bad = np.zeros(len(written), bool)
        for reason, found in _by_reason(result.problems).items():
            bad[found] = True
            self._note(column, reason, found, rows)
        sound = sound_values(result.values)
        filled = pc.not_equal(sound, "").to_numpy(zero_copy_only=False)
        looked = signs_of_values(
            kind, written, sound, birth=column.watched.birth, today=self._today
        )
        for sign, shown in looked:
            self._note(column, sign, np.flatnonzero(shown), rows)
            bad |= shown & (severity(sign) == CHECK)
        column.filled += int((filled | bad).sum())
        column.troubled += int(bad.sum())
        lengths = np.minimum(pc.utf8_length(written).to_numpy(zero_copy_only=False), _LENGTHS)
        column.lengths += np.bincount(lengths, minlength=_LENGTHS + 1)
        if column.repeats is not None:
            column.repeats.add([sound], rows)
        return sound

    def _note(
        self,
        column: _Column,
        code: str,
        found: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> None:
        column.codes[code] += len(found)
        if severity(code) != NOTE:
            self._quarantine.add(rows[found], column.name, column.watched.kind, code)

    def _look_across(self, normal: list[pa.StringArray], rows: NDArray[np.int64]) -> None:
        """NIK and NIP against birth date and sex."""
        birth, sex = self._birth(normal), self._only(Kind.SEX, normal)
        for column, values in zip(self._columns, normal, strict=True):
            against = {Kind.NIK: nik_against, Kind.NIP: nip_against}.get(column.watched.kind)
            if against is None:
                continue
            for sign, shown, could in against(values, birth, sex):
                column.of[sign] += int(could.sum())
                self._note(column, sign, np.flatnonzero(shown), rows)

    def _birth(self, normal: list[pa.StringArray]) -> pa.StringArray | None:
        """The column of birth dates; the only date, if none is called so."""
        for column, values in zip(self._columns, normal, strict=True):
            if column.watched.birth:
                return values
        return self._only(Kind.DATE, normal)

    def _only(self, kind: Kind, normal: list[pa.StringArray]) -> pa.StringArray | None:
        found = [v for c, v in zip(self._columns, normal, strict=True) if c.watched.kind is kind]
        return found[0] if len(found) == 1 else None

    def report(self, file: str, batches: Batches) -> LintReport:
        """The counts, once every row was looked at."""
        total = self._rows + len(batches.ragged) + len(batches.empty)
        findings = []
        for sign, rows in (
            (Sign.RAGGED, batches.ragged),
            (Sign.EMPTY_ROW, sorted([*self._empty, *batches.empty])),
        ):
            if rows:
                self._quarantine.add(np.array(rows, np.int64), "", Kind.TEXT, sign)
                findings.append(DataFinding("", Kind.TEXT, "", sign, len(rows), total))
        for column in self._columns:
            findings += self._findings(column)
        findings.append(self._same_persons())
        return LintReport(
            file=file,
            rows=total,
            columns=tuple(
                ColumnCount(c.watched.field, c.watched.kind, c.name, c.filled, c.troubled)
                for c in self._columns
            ),
            findings=tuple(f for f in findings if f.count),
            absent=self._absent,
            quarantined=self._quarantine.rows,
            notes=self._quarantine.notes,
        )

    def _findings(self, column: _Column) -> list[DataFinding]:
        if column.repeats is not None:
            column.codes[Sign.REPEATED] = self._repeated(
                column.repeats, column.name, column.watched.kind, Sign.REPEATED
            )
        at_limit = _cut_off(column)
        if at_limit:
            column.codes[Sign.CUT_OFF] = at_limit
        invalid = sum(n for code, n in column.codes.items() if code in set(Fault))
        counts = {EMPTY: self._rows - column.filled, "invalid": invalid, **column.codes}
        of = {EMPTY: self._rows, **column.of}
        w = column.watched
        return [
            DataFinding(w.field, w.kind, column.name, code, n, of.get(code, column.filled))
            for code, n in counts.items()
        ]

    def _repeated(self, repeats: Repeats, name: str, kind: Kind, code: Sign) -> int:
        """Write the rows that share a value; how many there are."""
        count = 0
        for rows, firsts in repeats.found():
            self._quarantine.add(rows, name, kind, code, firsts)
            count += len(rows)
        return count

    def _same_persons(self) -> DataFinding:
        kind = Kind.PERSON_NAME
        names = ", ".join(c.name for c in self._columns if c.watched.kind is kind)
        count = self._repeated(self._persons, names, kind, Sign.SAME_PERSON)
        return DataFinding("", kind, names, Sign.SAME_PERSON, count, self._rows)


def _is_name(column: _Column) -> bool:
    return column.watched.kind is Kind.PERSON_NAME


def _by_reason(problems: Sequence[Problem]) -> dict[Fault, NDArray[np.int64]]:
    found: dict[Fault, list[int]] = {}
    for p in problems:
        found.setdefault(p.reason, []).append(p.row)
    return {reason: np.array(rows, np.int64) for reason, rows in found.items()}


def _row_numbers(before: int, count: int, left_out: Sequence[int]) -> NDArray[np.int64]:
    """Numbers in the file, from 1, of the next ``count`` rows that were not left out (ascending).

    The k-th number that is left out has the number less k rows before it.
    """
    there = np.arange(before, before + count, dtype=np.int64)
    before_each = np.array(left_out, np.int64) - np.arange(1, len(left_out) + 1)
    return there + 1 + np.searchsorted(before_each, there, side="right")


def _cut_off(column: _Column) -> int:
    """How many values end at the column's limit, if it shows that it has one; else 0."""
    if column.watched.kind not in {Kind.PERSON_NAME, Kind.COMPANY_NAME, Kind.PLACE, Kind.ADDRESS}:
        return 0
    longest = int(np.flatnonzero(column.lengths).max(initial=0))
    at_limit, just_below = int(column.lengths[longest]), int(column.lengths[longest - 1])
    crowded = at_limit > max(10, 2 * just_below, _AT_LIMIT * column.filled)
    return at_limit if _SHORTEST_LIMIT <= longest < _LENGTHS and crowded else 0
