"""What a truth says of the answers to a list, and whether the same row got the same answer.

A found code is right as :mod:`.score` says: every code of a registry row that the truth names for
the person, and no other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import read_table
from padan_client.results.table import EDITION
from padan_lab.demo.score import Score, answered_codes
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import MATCHED, OUTCOME_WORDS

_FOUND = OUTCOME_WORDS[MATCHED]
_NAMES = ("rec_id_a", "rec_id_b")
_MOST_ROWS_NAMED = 10

#: Of every registered person of a list, by id: the codes, joined, that would be a right answer.
RightAnswers: TypeAlias = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Judgement:
    """The answers to one list against the truth.

    ``registered`` and ``strangers``: their rows by outcome; ``asked``: strangers who were asked
    about, those not that no pass is for.
    """

    score: Score
    registered: Mapping[str, int]
    strangers: Mapping[str, int]
    asked: int

    @property
    def wrong_per_stranger(self) -> float | None:
        """Share of the strangers asked who got a code; None of none."""
        return self.strangers.get(_FOUND, 0) / self.asked if self.asked else None

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            **self.score.as_json(),
            "registered": dict(self.registered),
            "strangers": dict(self.strangers),
            "wrong_per_stranger": self.wrong_per_stranger,
        }


def judge(codes: pa.Table, right: RightAnswers) -> Judgement:
    """Compare a result (id, hasil, kode, jawaban_…, edisi) with the right answers."""
    registered: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    found_right = asked = 0
    columns = (codes[name].to_pylist() for name in ("id", "hasil", EDITION))
    for key, outcome, edition, answer in zip(*columns, answered_codes(codes), strict=True):
        wanted = right.get(key)
        (strangers if wanted is None else registered)[outcome] += 1
        asked += wanted is None and edition != ""
        found_right += outcome == _FOUND and wanted is not None and answer in wanted
    found = registered[_FOUND] + strangers[_FOUND]
    return Judgement(Score(registered.total(), found, found_right), registered, strangers, asked)


def right_answers(
    path: Path,
    flow: Flow,
    asked: Collection[str],
    registry: Mapping[str, str],
) -> RightAnswers:
    """Read a truth: a column of list ids and one of registry ids, or of codes.

    The columns are rec_id_a and rec_id_b, else the first two. A row with an empty second cell, or
    the code for «not found», says that somebody is not in the registry, as does no row. ``asked``:
    ids of the lists, of which a truth may name more; ``registry``: id to codes, joined. Raises
    BadInputError where no id is of the lists, and for other ids of the registry.
    """
    table = read_table(path, rows_expected=False)
    if table.num_columns < len(_NAMES):
        raise BadInputError(
            t(
                f"{path.name}: perlu dua kolom: id daftar, dan id registri atau kode.",
                f"{path.name}: needs two columns: list ids, and registry ids or codes.",
            )
        )
    named = all(name in table.column_names for name in _NAMES)
    first, second = (
        [(value or "").strip() for value in table.column(name).to_pylist()]
        for name in (_NAMES if named else table.column_names[:2])
    )
    meaning = _meaning(path, flow, second, registry)
    if not any(key in asked for key in first):
        # The truth of a whole file serves for lists cut from it; of none of these it is another's.
        _refuse_strange(path, range(len(first)))
    right: dict[str, frozenset[str]] = {}
    for key, value in zip(first, second, strict=True):
        if answer := meaning.get(value):
            right[key] = right.get(key, frozenset()) | {answer}
    return right


def _meaning(
    path: Path, flow: Flow, values: Sequence[str], registry: Mapping[str, str]
) -> Mapping[str, str]:
    """What the second column's values stand for: registry ids if they all are, else codes."""
    given = set(values) - {""}
    if given <= registry.keys():
        return registry
    codes = {code.code: code.code for code in flow.codes}
    nobody = {code.code: "" for code in (flow.not_found,) if code is not None}
    known = codes | nobody
    if not given <= known.keys():
        reference = codes if given & known.keys() else registry
        _refuse_strange(path, [i for i, v in enumerate(values) if v and v not in reference])
    return known


def _refuse_strange(path: Path, rows: Sequence[int]) -> None:
    """Raise BadInputError where there are ``rows`` (from 0) with ids that no file has."""
    if not rows:
        return
    where = ", ".join(str(row + 1) for row in rows[:_MOST_ROWS_NAMED])
    raise BadInputError(
        t(
            f"{path.name}: {len(rows)} baris memakai id yang tidak ada di berkas, atau kode yang "
            f"tidak dimiliki alur ini (baris {where}). Periksa --id.",
            f"{path.name}: {len(rows)} rows have ids that are not in the files, or codes that the "
            f"flow has not (rows {where}). Check --id.",
        )
    )


class SeenRows:
    """Rows asked before, by all their cells, and what was answered to each.

    A row's answer may not depend on its list (spec 36): where it does, it shows here.
    """

    def __init__(self) -> None:
        self._answers: dict[tuple[str | None, ...], tuple[str | None, ...]] = {}

    def compare(self, asked: pa.Table, codes: pa.Table, skipped: str | None) -> dict[str, int]:
        """How many rows were asked before (in an earlier list or this one), and how many moved.

        ``skipped``: the column that names the rows, which is not part of what is asked.
        """
        cells = asked.drop_columns([skipped]) if skipped else asked
        again = differing = 0
        for row, answer in zip(_tuples(cells), _tuples(_told(codes)), strict=True):
            before = self._answers.setdefault(row, answer)
            if before is not answer:
                again += 1
                differing += before != answer
        return {"rows": again, "differing": differing}


def differing(one: pa.Table, other: pa.Table) -> int:
    """Rows that two results of the same list answer differently."""
    pairs = zip(_tuples(_told(one)), _tuples(_told(other)), strict=True)
    return sum(a != b for a, b in pairs)


def _told(codes: pa.Table) -> pa.Table:
    """What a result says of the rows; not which rows they are."""
    return codes.drop_columns(["row", "id"])


def _tuples(table: pa.Table) -> list[tuple[str | None, ...]]:
    columns = [pc.fill_null(column.cast(pa.string()), "").to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True))
