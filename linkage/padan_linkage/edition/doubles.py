"""Pairs of a registry's people that may be one person: they tell nothing about strangers.

Whoever is in a registry twice was merged before it is measured, where the odds are high; some
copies are left, and a handful of them would pass for strangers whom everything answers. A pair is
judged by the numbers that one person or company bears, which stand beside every other field and are
hardly ever another's. Spec: ``proto/spec/36-editions.md``, "Asked of itself".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.edition.asking import Records, whole_column
from padan_linkage.merging.copies.candidates import FieldColumn
from padan_linkage.merging.copies.names import NameColumn
from padan_linkage.merging.copies.numbers import NUMBERS
from padan_linkage.normalise import derive, sound_values
from padan_linkage.schema import DERIVATIONS, Kind, Schema

Numbers = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Numbers that differ in so many places are one number, written wrongly, or two that follow.
NEAR = 2
#: Where fewer people than this have a number, everybody else counts as a stranger all the same.
LEAST_KNOWN = 0.5
_WIDTH = 24
_NAMES = frozenset({Kind.PERSON_NAME, Kind.COMPANY_NAME})


@dataclass(frozen=True, repr=False)
class Doubles:
    """Judges pairs of ``n`` records.

    ``numbers``: the sound numbers; ``known``: bool[n], who has one, or everybody where too few
    have.
    """

    numbers: tuple[FieldColumn, ...]
    names: tuple[NameColumn, ...]
    known: Bools

    @classmethod
    def of(cls, schema: Schema, records: Records) -> Self:
        """Of a registry's normalised ``records``."""
        columns = {f.name: whole_column(records[f.name]) for f in schema.fields}
        dates = [sound_values(columns[f.name]) for f in schema.fields if f.kind is Kind.DATE]
        numbers = [
            FieldColumn(_own(f.kind, sound_values(columns[f.name]), dates))
            for f in schema.fields
            if f.kind in NUMBERS
        ]
        names = [
            NameColumn(f.kind, sound_values(columns[f.name]))
            for f in schema.fields
            if f.kind in _NAMES
        ]
        known = np.zeros(len(next(iter(columns.values()))), np.bool_)
        for column in numbers:
            known |= column.hashed != 0
        if known.mean() < LEAST_KNOWN:
            return cls((), tuple(names), np.ones(len(known), np.bool_))
        return cls(tuple(numbers), tuple(names), known)

    @property
    def share(self) -> float:
        """Share of the people whose strangers are known, 0 to 1."""
        return float(self.known.mean()) if len(self.known) else 1.0

    def among(self, a: Numbers, b: Numbers) -> Bools:
        """Which of the pairs of records (int64[k] each) may be one person, bool[k].

        Two whose numbers differ much are two; so are two of neighbouring numbers whose names have
        each a word that the other has not, as twins. Nobody knows of two of whom one has no number.
        """
        if not self.numbers:
            return np.zeros(len(a), np.bool_)
        far, near = np.zeros((2, len(a)), np.bool_)
        for column in self.numbers:
            both = (column.hashed[a] != 0) & (column.hashed[b] != 0)
            apart = (column.letters(a, _WIDTH)[0] != column.letters(b, _WIDTH)[0]).sum(axis=1)
            far |= both & (apart > NEAR)
            near |= both & (apart <= NEAR)
        alike = np.ones(len(a), np.bool_)
        for name in self.names:
            alike &= ~name.compared(a, b).other
        unsure: Bools = ~far & (alike | ~near)
        return unsure


def everybody_known(records: int) -> Doubles:
    """No pair may be one person: for registries that are known to be free of copies."""
    return Doubles((), (), np.ones(records, np.bool_))


def _own(kind: Kind, values: pa.StringArray, dates: list[pa.StringArray]) -> pa.StringArray:
    """The numbers, without those that hold another birth date than the record: a relative's."""
    if len(dates) != 1 or "birth_date" not in DERIVATIONS.get(kind, ()):
        return values
    other = pc.not_equal(derive(kind, "birth_date", values), dates[0])
    return pc.if_else(pc.and_(other, pc.not_equal(dates[0], "")), "", values)
