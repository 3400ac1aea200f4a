"""From the rows of a registry to its persons: copies merged before anything is encoded.

A row that is a copy (:func:`padan_linkage.merging.copies.find_copies`) is not published beside the
person that it is a copy of; what it fills in of that person is. Where the codes of one person's
rows exclude each other and the agreement does not say which prevails, none is published: who asks
is told «ganda». Rows are conserved: each is a person's own, a copy, or set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records.registry import Registry, empty_mask, take
from padan_linkage.agreement import Flow
from padan_linkage.answering.outcomes import AMBIGUOUS, OUTCOME_WORDS
from padan_linkage.answering.payloads import Payloads
from padan_linkage.merging.copies import Copies, Evidence, find_copies
from padan_linkage.schema import Schema

Rows = NDArray[np.int64]

#: Every row that was merged or set aside; no value of a field is in it.
COPIES_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("salinan_dari", pa.string()),
        ("hasil", pa.string()),
        ("alasan", pa.string()),
        ("peluang", pa.float64()),
    ]
)
MERGED, SET_ASIDE = "digabung", OUTCOME_WORDS[AMBIGUOUS]


@dataclass(frozen=True, repr=False)
class Persons:
    """The rows of a registry as persons.

    ``rows``: the ``n`` usable rows; ``original``: int64[n], the row that each is a copy of, itself
    where it is none; ``registry``: one record a person, those set aside without a code, ids those
    of the originals in their order; ``copies``: as found.
    """

    rows: Registry
    original: Rows
    registry: Registry
    copies: Copies

    def __repr__(self) -> str:
        return f"Persons({len(self.registry)})"

    @classmethod
    def among(cls, flow: Flow, schema: Schema, rows: Registry) -> Persons:
        """Find the copies and merge them."""
        return cls.of(flow, rows, find_copies(schema, rows.records))

    @classmethod
    def of(cls, flow: Flow, rows: Registry, copies: Copies) -> Persons:
        """The persons of rows whose copies are known."""
        original = np.arange(len(rows))
        original[copies.copy] = copies.original
        return cls(rows, original, _merged(flow, rows, copies), copies)

    @property
    def clear(self) -> NDArray[np.bool_]:
        """Which rows are of a person who has a code, bool[n]."""
        codes = np.zeros(len(self.rows), np.uint64)
        codes[self._own] = Payloads.unpack(self.registry.payloads).codes
        has: NDArray[np.bool_] = codes[self.original] != 0
        return has

    @property
    def counts(self) -> CopyCounts:
        """How many rows are what."""
        clear = self.clear
        copied = self.original != np.arange(len(self.rows))
        people = np.unique(self.original[copied & clear])
        return CopyCounts(
            rows=self.rows.given,
            superseded=self.rows.superseded,
            quarantined=self.rows.rejected,
            published=int((clear & ~copied).sum()),
            merged=int((clear & copied).sum()),
            merged_into=len(people),
            set_aside=int((~clear).sum()),
            set_aside_people=int((~clear & ~copied).sum()),
        )

    def touched(self, ids: pa.StringArray) -> NDArray[np.bool_]:
        """Which persons have a row of one of these ids, bool[persons]."""
        named = pc.is_in(self.rows.ids, value_set=ids).to_numpy(zero_copy_only=False)
        found = np.zeros(len(self.rows), np.bool_)
        found[self.original[named]] = True
        return found[self._own]

    def table(self) -> pa.Table:
        """What became of every row that is a copy or set aside, as COPIES_SCHEMA."""
        clear = self.clear
        odds = np.full(len(self.rows), np.nan)
        odds[self.copies.copy] = 1 / (1 + np.exp(-self.copies.log_odds))
        reasons = np.zeros(len(self.rows), np.int64)
        reasons[self.copies.copy] = self.copies.evidence
        listed = np.flatnonzero((reasons > 0) | ~clear)
        order = listed[np.lexsort((listed, self.original[listed]))]
        ids = self.rows.ids
        return pa.table(
            [
                ids.take(pa.array(order)),
                ids.take(pa.array(self.original[order])),
                pa.array(np.where(clear[order], MERGED, SET_ASIDE), pa.string()),
                pa.array([_REASONS[r]() for r in reasons[order].tolist()], pa.string()),
                pa.array(odds[order], mask=np.isnan(odds[order])),
            ],
            schema=COPIES_SCHEMA,
        )

    @property
    def _own(self) -> Rows:
        """The originals, ascending."""
        return np.flatnonzero(self.original == np.arange(len(self.original)))


@dataclass(frozen=True)
class CopyCounts:
    """What became of the rows of a file; ``given`` is their sum.

    ``superseded``: older rows of an id, where the latest counts. ``merged`` copies are of
    ``merged_into`` persons; ``set_aside`` rows of ``set_aside_people``.
    """

    rows: int
    superseded: int
    quarantined: int
    published: int
    merged: int
    merged_into: int
    set_aside: int
    set_aside_people: int

    def __post_init__(self) -> None:
        """Rows are conserved; a difference is a defect."""
        told = self.superseded + self.quarantined + self.published + self.merged + self.set_aside
        if told != self.rows:
            raise AssertionError("rows of the registry were lost or made")

    def told(self) -> str:
        """The account, for an officer."""
        older = t(f" + {self.superseded} baris lama", f" + {self.superseded} older rows")
        return t(
            f"{self.rows} baris = {self.published} orang + {self.merged} salinan + "
            f"{self.set_aside} ganda + {self.quarantined} karantina"
            f"{older if self.superseded else ''}.",
            f"{self.rows} rows = {self.published} people + {self.merged} copies + "
            f"{self.set_aside} set aside + {self.quarantined} quarantined"
            f"{older if self.superseded else ''}.",
        )


#: Hears of the persons before anything is encoded, and says whether to go on although some are set
#: aside.
Consent: TypeAlias = Callable[[Persons], bool]


def ask_nobody(persons: Persons) -> bool:
    """Goes on where nobody is set aside."""
    return not persons.counts.set_aside


def agreed(persons: Persons, consent: Consent) -> Persons:
    """The persons, if they may be published. Raises BadInputError."""
    counts = persons.counts
    if not consent(persons) and counts.set_aside:
        raise BadInputError(
            t(
                f"{counts.set_aside_people} orang ada di registri lebih dari sekali dengan kode "
                "yang berlainan. Perbaiki barisnya, atau setujui bahwa mereka dijawab «ganda» "
                "(--yes), atau tetapkan kode yang berlaku dalam perjanjian (copies.prevails). "
                "Belum ada yang disandikan.",
                f"{counts.set_aside_people} people are in the registry more than once, with "
                "different codes. Correct the rows, or agree that they are answered «ambiguous» "
                "(--yes), or have the agreement say which code prevails (copies.prevails). "
                "Nothing was encoded.",
            )
        )
    return persons


def _merged(flow: Flow, rows: Registry, copies: Copies) -> Registry:
    """One record a person: the original's, its gaps filled from its copies, and one answer."""
    if not len(copies):
        return rows
    records = filled(rows.records, copies)
    said = Payloads.unpack(rows.payloads)
    codes = _codes(flow, said.codes, copies.original, copies.copy)
    payloads = replace(said, codes=codes, empty=empty_mask(flow, records)).pack()
    stays = np.ones(len(rows), np.bool_)
    stays[copies.copy] = False
    return take(replace(rows, records=records, payloads=payloads), stays)


def filled(records: Mapping[str, pa.StringArray], copies: Copies) -> dict[str, pa.StringArray]:
    """The columns with the gaps of originals filled from the surest of their copies."""
    order = np.lexsort((copies.copy, -copies.log_odds))
    original, copy = copies.original[order], copies.copy[order]
    return {name: _filled(column, original, copy) for name, column in records.items()}


def _filled(column: pa.StringArray, original: Rows, copy: Rows) -> pa.StringArray:
    there = pc.not_equal(column, "").to_numpy(zero_copy_only=False)
    at = np.flatnonzero(~there[original] & there[copy])
    gaps, first = np.unique(original[at], return_index=True)
    source = np.arange(len(column))
    source[gaps] = copy[at[first]]
    return column.take(pa.array(source)) if len(gaps) else column


def _codes(flow: Flow, codes: NDArray[np.uint64], original: Rows, copy: Rows) -> NDArray[np.uint64]:
    """Codes of the rows, those of an original joined with its copies'; 0 where they clash."""
    joined = codes.copy()
    np.bitwise_or.at(joined, original, codes[copy])
    if flow.several:
        return joined
    prevailing = flow.copies.prevails if flow.copies else ()
    clash = np.zeros(len(codes), np.bool_)
    for group in map(np.uint64, flow.code_groups.values()):
        mine = joined & group
        several = (mine != 0) & ((mine & (mine - np.uint64(1))) != 0)
        for bit in (np.uint64(1 << flow.code_index(code)) for code in prevailing):
            won = several & ((mine & bit) != 0)
            joined[won] = (joined[won] & ~group) | bit
            several &= ~won
        clash |= several
    joined[clash] = 0
    return joined


_REASONS: dict[int, Callable[[], str]] = {
    0: lambda: t("baris orang itu sendiri", "the person's own row"),
    Evidence.SAME_NUMBER: lambda: t(
        "nomor sama, ruas lain cocok", "same number, other fields agree"
    ),
    Evidence.SLIP_IN_NUMBER: lambda: t(
        "nomor beda satu angka, ruas lain sama", "numbers a digit apart, other fields equal"
    ),
    Evidence.NO_NUMBER: lambda: t(
        "salah satu tanpa nomor, ruas lain sama", "one has no number, other fields equal"
    ),
}
