"""Which rows of an earlier result are answered otherwise now, and why that may be.

Spec: ``proto/spec/80-minutes.md``, "Answers that changed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.lists import RequestList
from padan_client.records.notes import NOTE, one_note
from padan_client.results.reasons import EXPLANATION, REASON
from padan_client.results.table import ASKED, CHECK, EDITION, NOBODY, REGISTRY, AnsweredBy
from padan_linkage.direct.manifest import format_moment

#: Columns of changed rows: what stood there before, since when the registry answers, why.
BEFORE, SINCE, CAUSE = "_dahulu", "sejak", "sebab"
_NEEDED = ("row", "hasil", "kode", EDITION, REGISTRY, ASKED)
_GROUP = "jawaban_"
_WAY = "cara"
_MOST_ROWS_NAMED = 10
_EDITION_DIGITS = 16


@dataclass(frozen=True)
class RegistryFacts:
    """A registry: what it is called, since when it answers, under which epoch and normaliser."""

    by: AnsweredBy
    since: datetime
    epoch: int
    normaliser: str


@dataclass(frozen=True, repr=False)
class EarlierResult:
    """A result that may be of an older registry: columns of strings, rows in the list's order."""

    table: pa.Table

    @classmethod
    def of(cls, table: pa.Table) -> EarlierResult:
        """Of a result's table, its rows in any order.

        Raises BadInputError where it does not say what answered, or not every row is there once.
        """
        missing = [name for name in _NEEDED if name not in table.column_names]
        if missing:
            raise _no_result(missing)
        texts = pa.table({name: _texts(table, name) for name in table.column_names})
        try:
            rows = pc.cast(texts["row"], pa.int64()).to_numpy()
        except pa.ArrowInvalid:
            raise _no_result(["row"]) from None
        _require_each_once(rows)
        return cls(texts.take(pa.array(np.argsort(rows))))

    @property
    def answered_by(self) -> frozenset[AnsweredBy]:
        """What answered its rows."""
        distinct = self.table.select([EDITION, REGISTRY]).group_by([EDITION, REGISTRY])
        return frozenset(_answering(distinct.aggregate([]))) - {NOBODY}

    @property
    def mode(self) -> str:
        """The mode that it was asked in, as far as it shows."""
        if _WAY not in self.table.column_names:
            return "unit"
        ways = pc.any(pc.starts_with(self.table[_WAY], "unit:")).as_py()
        return "auto" if ways or len(self.answered_by) > 1 else "direct"

    def take_up(self, requested: RequestList) -> RequestList:
        """The list with this result's notes, if its rows are those that were asked about then.

        Raises BadInputError that names rows which are not, or have another note here and there.
        """
        # Spec 80, "Answers that changed", step 3.
        digests = requested.digests
        assert digests is not None
        _require_as_many(self.table.num_rows, len(digests))
        _require_same_values(pc.not_equal(digests, self.table[ASKED].combine_chunks()))
        if NOTE not in self.table.column_names:
            return requested
        return replace(requested, notes=one_note(requested.notes, _texts(self.table, NOTE)))


def causes(
    before: AnsweredBy, now: AnsweredBy, known: Mapping[str, RegistryFacts | None]
) -> tuple[str, ...]:
    """Why an answer by ``now`` may be another than one by ``before``; words of spec 80.

    ``known``: by registry id, what is known of it, None where its unit does not know it.
    """
    if NOBODY in {before, now} or before.registry == now.registry:
        return ()
    old, new = known.get(before.registry), known.get(now.registry)
    if is_at_unit(before) != is_at_unit(now):
        return ("cara",)
    found = ["delta" if before.edition == now.edition else "terbit_ulang"]
    if before.registry in known and old is None:
        found.append("perjanjian")
    if old and new and old.epoch != new.epoch:
        found.append("epok")
    if old and new and old.normaliser != new.normaliser:
        found.append("penormal")
    return tuple(found)


def is_at_unit(by: AnsweredBy) -> bool:
    """Whether that is a registry at the unit, whose editions have 16 digits, or label tables."""
    return len(by.edition) == _EDITION_DIGITS


def cause_texts() -> dict[str, str]:
    """The causes as sentences, by their words."""
    return {
        "delta": t("registri diubah dengan delta", "the registry was changed by a delta"),
        "terbit_ulang": t("registri diterbitkan ulang", "the registry was published anew"),
        "epok": t(
            "epok baru: satu dari seribu baris dapat berpindah antara kode dan belum dapat "
            "dipastikan",
            "a new epoch: a row in a thousand may move between a code and undecided",
        ),
        "penormal": t("versi penormal lain", "another version of the normaliser"),
        "perjanjian": t(
            "naskah perjanjian berubah, atau unit tidak mengenal registri yang dahulu",
            "the agreement's wording changed, or the unit does not know the earlier registry",
        ),
        "cara": t("dijawab lewat cara lain", "answered in the other mode"),
    }


def changed_rows(
    earlier: EarlierResult, present: pa.Table, known: Mapping[str, RegistryFacts | None]
) -> pa.Table:
    """The rows whose answer is another now: before, now, since when, why, and the note.

    Columns: ``row``, ``id``; ``hasil``, ``kode``, every ``periksa_<field>`` and ``jawaban_<group>``
    with the earlier one before it (``…_dahulu``); ``keterangan``, ``alasan``, ``penjelasan``;
    ``edisi_dahulu``, ``edisi``, ``sejak``, ``sebab``, ``catatan``. ``present`` has the same rows.
    """
    # Spec 80, "Answers that changed", step 5.
    names = [name for name in present.column_names if _is_answer(name)]
    before = {name: _texts(earlier.table, name) for name in names}
    differs = np.zeros(present.num_rows, np.bool_)
    for name in names:
        other = pc.not_equal(_texts(present, name), before[name])
        differs |= other.to_numpy(zero_copy_only=False)
    rows = pa.array(np.flatnonzero(differs))
    here, there = present.take(rows), earlier.table.take(rows)
    columns = {name: here[name] for name in ("row", "id")}
    for name in names:
        columns |= {name + BEFORE: before[name].take(rows), name: here[name]}
    columns |= {name: here[name] for name in ("keterangan", REASON, EXPLANATION)}
    old, new = _answering(there), _answering(here)
    told = {pair: "; ".join(causes(*pair, known)) for pair in set(zip(old, new, strict=True))}
    columns[EDITION + BEFORE], columns[EDITION] = there[EDITION], here[EDITION]
    columns[SINCE] = pa.array([_since(known.get(by.registry)) for by in new], pa.string())
    columns[CAUSE] = pa.array([told[pair] for pair in zip(old, new, strict=True)], pa.string())
    return pa.table(columns | {NOTE: here[NOTE]})


@dataclass(frozen=True)
class Change:
    """So many rows went from one answer to another, and why that may be."""

    before: str
    now: str
    causes: str
    rows: int


def summarise(changed: pa.Table) -> list[Change]:
    """The changes, the most frequent first; an answer is its code, or its outcome if it has none.

    Where both are the same a confirmed field or a code of another group changed.
    """
    shown = (_shown(changed, BEFORE), _shown(changed, ""), changed[CAUSE])
    counted = Counter(zip(*(column.to_pylist() for column in shown), strict=True))
    by_rows = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    return [Change(before, now, why, rows) for (before, now, why), rows in by_rows]


def _shown(changed: pa.Table, end: str) -> pa.ChunkedArray:
    codes = changed["kode" + end]
    return pc.if_else(pc.equal(codes, ""), changed["hasil" + end], codes)


def _is_answer(name: str) -> bool:
    return name in {"hasil", "kode"} or name.startswith((CHECK, _GROUP))


def _answering(table: pa.Table) -> list[AnsweredBy]:
    """What answered each row."""
    columns = (_texts(table, name).to_pylist() for name in (EDITION, REGISTRY))
    made: dict[tuple[str, str], AnsweredBy] = {}
    return [made.setdefault(ids, AnsweredBy(*ids)) for ids in zip(*columns, strict=True)]


def _since(standing: RegistryFacts | None) -> str:
    return "" if standing is None else format_moment(standing.since)


def _texts(table: pa.Table, name: str) -> pa.StringArray:
    """A column as text, "" for nothing and where there is none."""
    if name not in table.column_names:
        return pa.array([""] * table.num_rows, pa.string())
    texts = pc.fill_null(table[name].cast(pa.string()), "").combine_chunks()
    return pa.concat_arrays(texts.chunks) if isinstance(texts, pa.ChunkedArray) else texts


def _require_each_once(rows: NDArray[np.int64]) -> None:
    """Raise BadInputError unless the rows are 1, 2, 3 … in some order."""
    wanted = np.arange(1, len(rows) + 1)
    if not np.array_equal(np.sort(rows), wanted):
        wrong = sorted({*wanted.tolist()} ^ {*rows.tolist()}) or _twice(rows)
        raise BadInputError(
            t(
                f"Hasil terdahulu tidak utuh ({_named(wrong)}): tiap baris daftar harus ada satu "
                "kali. Pakai berkas hasil seperti ditulis padan.",
                f"The earlier result is not whole ({_named(wrong)}): every row of the list must be "
                "there once. Use the result's file as padan wrote it.",
            )
        )


def _twice(rows: NDArray[np.int64]) -> list[int]:
    return [row for row, count in Counter(rows.tolist()).items() if count > 1]


def _require_as_many(before: int, now: int) -> None:
    if before != now:
        raise BadInputError(
            t(
                f"Daftar ini bukan yang dijawab hasil itu: {now} baris, dahulu {before}.",
                f"This list is not the one that the result answers: {now} rows, then {before}.",
            )
        )


def _require_same_values(differs: pa.BooleanArray) -> None:
    rows = (np.flatnonzero(differs.to_numpy(zero_copy_only=False)) + 1).tolist()
    if len(rows) == len(differs):
        raise BadInputError(
            t(
                "Hasil itu bukan jawaban atas daftar ini di instansi ini: tidak satu baris pun "
                "sama. Periksa daftar, --agreement, --flow, --map dan --home.",
                "That result does not answer this list at this agency: not one row is the same. "
                "Check list, --agreement, --flow, --map and --home.",
            )
        )
    if rows:
        raise BadInputError(
            t(
                f"{_named(rows).capitalize()}: isi daftar lain dari yang ditanyakan dahulu. Pakai "
                "daftar yang dahulu; untuk isi yang baru pakai confirm.",
                f"{_named(rows).capitalize()}: the list says something else than was asked then. "
                "Use the list of then; for new values use confirm.",
            )
        )


def _named(rows: Iterable[int]) -> str:
    rows = list(rows)
    named = ", ".join(map(str, rows[:_MOST_ROWS_NAMED]))
    more = ", …" if len(rows) > _MOST_ROWS_NAMED else ""
    return t(f"baris {named}{more}", f"rows {named}{more}")


def _no_result(columns: list[str]) -> BadInputError:
    named = ", ".join(columns)
    return BadInputError(
        t(
            f"Berkas itu tidak menyebut edisi yang menjawabnya (kolom {named}): bukan hasil "
            "padan confirm, atau dari versi terdahulu. Tanyakan daftarnya dengan confirm.",
            f"The file does not say which edition answered it (column {named}): it is no result of "
            "padan confirm, or of an earlier version. Ask the list with confirm.",
        )
    )
