"""Which rows of a registry are one person: the evidence of all fields, and what none outweighs.

Two rows are merged where the log odds of all their fields reach a bound, pair by pair and never by
chains, and where nothing says that they are two who share much for a reason: twins, of whom each
has a first name; namesakes, of whom each has a number; a household; a company and its branch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.merging.copies.candidates import (
    SMALL,
    Bools,
    FieldColumn,
    Hashes,
    Rows,
    hashes,
    pairs,
)
from padan_linkage.merging.copies.names import ComparedNames, NameColumn
from padan_linkage.merging.copies.numbers import NUMBERS, NumberColumn
from padan_linkage.merging.copies.values import Compared, Float, compared_dates, compared_values
from padan_linkage.normalise import sound_values
from padan_linkage.schema import Kind, Schema

#: Log odds from which two rows are one person: a thousand to one.
BOUND = math.log(1000)
#: The same where one has no number and nothing beside name and date vouches for them.
UNVOUCHED = math.log(10_000)
#: Copies that a row is expected to have. Not learned: no file moves its own bound.
_EXPECTED = 0.01
#: What a household shares tells no more than this of one of its people, nats; a company's, this.
_MOST_OF_A_HOUSEHOLD, _MOST_OF_A_COMPANY = 3.0, 8.0
_FEW = frozenset({Kind.SEX, Kind.NATIONALITY})
_REACHED = frozenset({Kind.KK, Kind.ADDRESS, Kind.PHONE, Kind.EMAIL})


class Evidence(IntEnum):
    """What a pair rests on; every other pair is two people."""

    SAME_NUMBER = 1
    SLIP_IN_NUMBER = 2
    NO_NUMBER = 3


@dataclass(frozen=True, repr=False)
class Copies:
    """The copies among the rows of a registry.

    ``original``, ``copy``: int64[c], each copy once and ascending; no original is a copy.
    ``log_odds``: float64[c], nats; ``evidence``: uint8[c], numbers of Evidence.
    """

    original: Rows
    copy: Rows
    log_odds: Float
    evidence: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.copy)

    def __repr__(self) -> str:
        return f"Copies({len(self)})"


_NONE = np.zeros(0, np.int64)
NO_COPIES = Copies(_NONE, _NONE, np.zeros(0, np.float64), np.zeros(0, np.uint8))


def has_numbers(schema: Schema) -> bool:
    """Whether a field of the schema names one person or company."""
    return any(f.kind in NUMBERS for f in schema.fields)


def find_copies(schema: Schema, records: Mapping[str, pa.StringArray]) -> Copies:
    """The copies among normalised ``records``; of each person the fullest row is the original.

    Holds some 200 bytes a row beside the records.
    """
    file = _File(schema, records)
    a, b = pairs(file.keys(), file.rows)
    if not len(a):
        return NO_COPIES
    return _of_originals(file.rank(), *file.judged(a, b))


class _File:
    """The columns of a registry, by what they say of people."""

    def __init__(self, schema: Schema, records: Mapping[str, pa.StringArray]) -> None:
        named = _fields_of_the_name(schema)
        sound = {name: sound_values(column) for name, column in records.items()}
        rest = [f for f in schema.fields if f.name not in named]
        dated = next((f.name for f in rest if f.kind is Kind.DATE), None)
        self.rows = len(next(iter(records.values())))
        self._records = records
        self.company = bool(named) and schema.kind(named[0]) is Kind.COMPANY_NAME
        kind = Kind.COMPANY_NAME if self.company else Kind.PERSON_NAME
        self.name = NameColumn(kind, _as_one([sound[n] for n in named], self.rows))
        self.date = None if dated is None else FieldColumn(sound[dated])
        self.numbers = [NumberColumn.of(f.kind, records[f.name]) for f in rest if f.kind in NUMBERS]
        self.values = [
            (f.kind, FieldColumn(sound[f.name]))
            for f in rest
            if f.kind not in NUMBERS and f.name != dated
        ]

    def rank(self) -> Rows:
        """The rows by how many fields they have, sound numbers counted twice, the fullest 0.

        Of equally full ones what they hold decides, and not where they stand: int64[n].
        """
        filled, mixed = np.zeros(self.rows, np.int64), np.zeros(self.rows, np.uint64)
        for column in self._records.values():
            hashed = hashes(column)
            filled += hashed != 0
            mixed = _mixed(mixed, hashed)
        for number in self.numbers:
            filled += number.sound.hashed != 0
        rank = np.empty(self.rows, np.int64)
        rank[np.lexsort((mixed, -filled))] = np.arange(self.rows)
        return rank

    def keys(self) -> list[Hashes]:
        """What pairs are looked for by: every number; the name with the date, if there is one."""
        names = [self.name.whole.hashed, self.name.joined.hashed]
        if self.date is None:
            # The names of companies are long: few have one.
            return [*(n.sound.hashed for n in self.numbers), *names]
        dates = self.date.hashed
        dated = [np.where((h == 0) | (dates == 0), 0, _mixed(h, dates)) for h in names]
        return [*(n.sound.hashed for n in self.numbers), *dated]

    def judged(self, a: Rows, b: Rows) -> tuple[Rows, Rows, Float, NDArray[np.uint8]]:
        """The pairs that are one person: rows, log odds, evidence."""
        pair = self._compared(a, b)
        evidence = pair.of_a_company() if self.company else pair.of_a_person()
        log_odds = math.log(2 * _EXPECTED / max(self.rows, SMALL)) + pair.nats(self.company)
        weak = (evidence == Evidence.NO_NUMBER) & ~pair.vouched
        sure = np.flatnonzero((evidence > 0) & (log_odds >= np.where(weak, UNVOUCHED, BOUND)))
        return a[sure], b[sure], log_odds[sure], evidence[sure].astype(np.uint8)

    def _compared(self, a: Rows, b: Rows) -> _Pairs:
        no = np.zeros(len(a), np.bool_)
        undated = Compared(np.zeros(len(a)), no, no)
        values = [(kind, compared_values(kind, column, a, b)) for kind, column in self.values]
        return _Pairs(
            name=self.name.compared(a, b),
            date=undated if self.date is None else compared_dates(self.date, a, b),
            dated=self.date is not None,
            numbers=[number.compared(a, b) for number in self.numbers],
            own=[c for kind, c in values if kind not in _REACHED],
            reached=[c for kind, c in values if kind in _REACHED],
            moved=_any([c.other for kind, c in values if kind is Kind.ADDRESS], no),
            vouched=_any([c.same for kind, c in values if kind not in _FEW], no),
        )


@dataclass(frozen=True, repr=False)
class _Pairs:
    """All fields of ``k`` pairs.

    ``dated``: the schema has a date; ``moved``: bool[k], their addresses differ; ``vouched``:
    bool[k], a field beside name, date and numbers is the same, and it is not one of few values.
    """

    name: ComparedNames
    date: Compared
    dated: bool
    numbers: list[Compared]
    own: list[Compared]
    reached: list[Compared]
    moved: Bools
    vouched: Bools

    def nats(self, company: bool) -> Float:
        """What all fields say together, float64[k]."""
        parts = [self.name, self.date, *self.numbers, *self.own]
        most = _MOST_OF_A_COMPANY if company else _MOST_OF_A_HOUSEHOLD
        reached = np.minimum(_sum([c.nats for c in self.reached], self.moved), most)
        return _sum([c.nats for c in parts], self.moved) + reached

    def of_a_person(self) -> Rows:
        """The evidence that both are one person, 0 where something says otherwise."""
        name, date = self.name, self.date
        # Of one date of birth twins have other first names, and namesakes other numbers. Relatives
        # who bear each other's number have other dates of birth.
        alike = (date.same & (name.first | ~name.other)) | name.same | (name.met & name.first)
        if self.dated:
            missing = ~date.same & (date.nats == 0)
            alike = np.where(missing, name.same, alike) & (~date.other | (self._equal > 1))
        same = name.same & date.same & ~self._contradicted
        return self._evidence(alike, same, name.written & ~self.moved)

    def of_a_company(self) -> Rows:
        """The same of a company: a branch has its head's numbers and name, and another address."""
        one = ~self.name.form & ~self._differ & ~self.moved
        same = one & self.name.same & ~self._contradicted
        return self._evidence(one & self.name.met, same, same)

    def _evidence(self, alike: Bools, same: Bools, written: Bools) -> Rows:
        """What is enough beside the same number, beside a slip in it, and without a number."""
        by_number = (self._equal > 0) & alike
        without = (self._equal == 0) & ~self._differ & same
        return np.select(
            [by_number, without & self._slip, without & written],
            [Evidence.SAME_NUMBER, Evidence.SLIP_IN_NUMBER, Evidence.NO_NUMBER],
            0,
        )

    @property
    def _equal(self) -> Rows:
        """How many numbers are equal."""
        none = np.zeros(len(self.moved), np.int64)
        equal: Rows = np.sum([none, *(n.same for n in self.numbers)], axis=0)
        return equal

    @property
    def _differ(self) -> Bools:
        return _any([n.other for n in self.numbers], self.moved)

    @property
    def _slip(self) -> Bools:
        return _any([(n.nats > 0) & ~n.same for n in self.numbers], self.moved)

    @property
    def _contradicted(self) -> Bools:
        return _any([c.other for c in self.own], self.moved)


def _fields_of_the_name(schema: Schema) -> tuple[str, ...]:
    """The fields that the name of the person or company is written in.

    Parts of a name are segments of one group; other names beside the first are relatives'.
    """
    for kind in (Kind.COMPANY_NAME, Kind.PERSON_NAME):
        named = [f.name for f in schema.fields if f.kind is kind]
        for p in schema.passes:
            parts = [s.fields[0] for s in p.similar if s.group and s.fields[0] in named]
            if len(set(parts)) > 1:
                return tuple(n for n in named if n in parts)
        if named:
            return (named[0],)
    return ()


def _as_one(columns: list[pa.StringArray], rows: int) -> pa.StringArray:
    """The parts of a name with spaces between."""
    if not columns:
        return pa.array([""] * rows, pa.string())
    if len(columns) == 1:
        return columns[0]
    return pc.utf8_trim_whitespace(pc.binary_join_element_wise(*columns, " "))


def _mixed(one: Hashes, two: Hashes) -> Hashes:
    mixed: Hashes = (one ^ (two >> np.uint64(7))) * np.uint64(0x9E3779B97F4A7C15) ^ two
    return mixed


def _any(flags: list[Bools], shaped: Bools) -> Bools:
    either: Bools = np.logical_or.reduce([np.zeros_like(shaped), *flags])
    return either


def _sum(nats: list[Float], shaped: Bools) -> Float:
    total: Float = np.sum([np.zeros(len(shaped)), *nats], axis=0)
    return total


def _of_originals(
    rank: Rows, a: Rows, b: Rows, log_odds: Float, evidence: NDArray[np.uint8]
) -> Copies:
    """Each person's fullest row stays, and each copy goes to the row that it is surest to be.

    Pair by pair, not by chains: of a-b and b-c alone, c stays, for it is not known to be a.
    """
    swap = rank[a] > rank[b]
    better, worse = np.where(swap, b, a), np.where(swap, a, b)
    stays = np.ones(len(rank), np.bool_)
    order = np.argsort(rank[worse], kind="stable")
    for one, two in zip(better[order].tolist(), worse[order].tolist(), strict=True):
        if stays[one]:
            stays[two] = False
    told = np.flatnonzero(stays[better] & ~stays[worse])
    told = told[np.lexsort((rank[better[told]], -log_odds[told], worse[told]))]
    first = told[np.unique(worse[told], return_index=True)[1]]
    return Copies(better[first], worse[first], log_odds[first], evidence[first])
