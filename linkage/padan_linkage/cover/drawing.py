"""Whole people who are nobody: each value as likely shared with others as a person's is.

Spec: ``proto/spec/11-cover.md``, "A cover person".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.cover.dates import made_dates, whole, years
from padan_linkage.cover.fresh import chosen, nobodys, placed, replaced, unheard
from padan_linkage.cover.newcomers import Neighbours, Numbers, coded, whose
from padan_linkage.cover.numbers import (
    NIK_DIGITS,
    NIP_DIGITS,
    area_and_serial,
    digits_of,
    of_nobody,
    text_of_digits,
    with_birth,
)
from padan_linkage.cover.traits import WOMAN, birth_field, groups_of_names, sexes
from padan_linkage.cover.words import WordMaker
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.normalise import derive, sound_values
from padan_linkage.normalise.normalised import DOUBT
from padan_linkage.schema import Kind, Schema

Records = Mapping[str, "pa.StringArray | pa.ChunkedArray"]
Fields = dict[str, pa.StringArray]
Flags = NDArray[np.bool_]

#: Kinds of few values: a newcomer's is somebody's.
_FEW = frozenset({Kind.SEX, Kind.NATIONALITY, Kind.KBLI, Kind.PLACE})
_WORDS = frozenset({Kind.PERSON_NAME, Kind.COMPANY_NAME, Kind.ADDRESS, Kind.TEXT})
#: Kinds that name one person or company.
OWN_KINDS = frozenset({
    Kind.NIK, Kind.NIP, Kind.PASSPORT, Kind.JKN_CARD, Kind.BPJSTK_NUMBER, Kind.NPWP, Kind.NIB,
})  # fmt: skip
_APART = "\x1f"


def with_cover(schema: Schema, people: Records, rows: int, drbg: Drbg) -> Fields:
    """``people`` (normalised columns) and behind them as many cover people as make ``rows``."""
    whole_columns = _in_one_piece(people)
    count = rows - len(next(iter(whole_columns.values())))
    if count < 0:
        raise ValueError(f"{rows - count} people do not fit {rows} rows")
    if not count:
        return whole_columns
    return joined(whole_columns, draw_people(schema, whole_columns, count, drbg))


def joined(people: Records, cover: Fields) -> Fields:
    """The people's columns, each with the cover people's behind it."""
    return {n: pa.concat_arrays([c, cover[n]]) for n, c in _in_one_piece(people).items()}


def draw_people(
    schema: Schema, people: Records, count: int, drbg: Drbg, like: Numbers | None = None
) -> Fields:
    """``count`` people who are nobody, drawn from ``people``: normalised columns by field.

    ``like``: int64[count], of whom they have gaps, sex and age; of random people by default. The
    same for the same people, count and randomness. Raises ValueError if there are no people to draw
    from.
    """
    columns = _in_one_piece(people)
    if not len(next(iter(columns.values()))):
        raise ValueError("nobody to draw cover people from")
    return _Drawing(schema, columns, count, drbg.fork("cover people"), like).made()


def _in_one_piece(records: Records) -> Fields:
    made = {}
    for name, column in records.items():
        chunks = getattr(column, "chunks", [column])
        one = pa.concat_arrays(chunks) if chunks else pa.array([], pa.string())
        made[name] = pc.fill_null(one.cast(pa.string()), "")
    if len({len(column) for column in made.values()}) != 1:
        raise ValueError("columns must have one length")
    return made


class _Drawing:
    """People, and the cover people who are being made of them.

    ``_like``: int64[count], the person whose missing and doubtful values each cover person has, and
    whose sex and years are those of the others that it takes something of.
    """

    def __init__(
        self, schema: Schema, people: Fields, count: int, drbg: Drbg, like: Numbers | None
    ) -> None:
        self._schema, self._people, self._drbg = schema, people, drbg
        self._total = len(next(iter(people.values())))
        self._sound = {name: sound_values(column) for name, column in people.items()}
        if like is None:
            like = drbg.integers(count, self._total)
        self._like = like
        self._home = drbg.integers(count, self._total)
        self._born = birth_field(schema, self._sound)
        self._sex = sexes(schema, self._sound)
        self._year = years(self._sound[self._born]) if self._born else np.zeros(self._total, int)
        self._namesake_year = np.zeros(count, np.int64)
        self._made: Fields = {}

    def made(self) -> Fields:
        """The cover people, by field."""
        kinds = {f.name: f.kind for f in self._schema.fields if f.name in self._people}
        first = [n for n in (self._born, *self._kinds(Kind.NIK)) if n]
        self._names()
        for name in dict.fromkeys([*first, *kinds]):
            if name not in self._made:
                self._made[name] = self._field(name, kinds[name])
        made = {name: self._as_given(name) for name in self._people}
        return self._with_copies(made)

    def _kinds(self, kind: Kind) -> list[str]:
        return [f.name for f in self._schema.fields if f.kind is kind and f.name in self._people]

    def _holders(self, name: str) -> tuple[Numbers, Numbers]:
        """Who has a sound value in the field, and which cover people are to have one."""
        has = pc.not_equal(self._sound[name], "").to_numpy(zero_copy_only=False)
        if self._schema.kind(name) is Kind.DATE:
            has &= whole(self._sound[name])
        return np.flatnonzero(has), np.flatnonzero(has[self._like])

    def _field(self, name: str, kind: Kind) -> pa.StringArray:
        """The field's values of all cover people; "" where theirs is not to be sound."""
        holders, rows = self._holders(name)
        if not rows.size:
            return pa.array([""] * self._like.size, pa.string())
        column = self._sound[name].take(pa.array(holders))
        own = np.searchsorted(holders, self._like[rows])
        values = self._values(name, kind, column, own, rows, holders)
        return placed(values, rows, self._like.size)

    def _values(
        self, name: str, kind: Kind, column: pa.StringArray, own: Numbers, rows: Numbers,
        holders: Numbers,
    ) -> pa.StringArray:  # fmt: skip
        """Values of the cover people ``rows``; ``own``: places in ``column`` of their likes."""
        drbg = self._drbg.fork(name)
        if kind is Kind.SEX:
            return column.take(pa.array(own))
        if kind is Kind.DATE:
            avoided = self._namesake_year[rows] if name == self._born else np.zeros_like(rows)
            return made_dates(column, own, avoided, drbg)
        if kind in OWN_KINDS:
            return self._number(name, kind, column, own, rows, holders)
        return self._shared(kind, column, self._at_home(holders, rows, drbg), rows, drbg)

    def _number(
        self,
        name: str,
        kind: Kind,
        column: pa.StringArray,
        own: Numbers,
        rows: Numbers,
        holders: Numbers,
    ) -> pa.StringArray:
        """Numbers of the cover people ``rows``, nobody else's."""
        drbg = self._drbg.fork(f"number {name}")
        if kind is Kind.NIK:
            return self._niks(column, own, rows, holders, drbg)
        if kind is Kind.NIP:
            return self._nips(column, own, rows, drbg)
        if kind is Kind.NPWP and self._is_nik(name):
            return self._made[self._kinds(Kind.NIK)[0]].take(pa.array(rows))
        return nobodys(column, self._at_home(holders, rows, drbg), drbg)

    def _shared(
        self, kind: Kind, column: pa.StringArray, other: Numbers, rows: Numbers, drbg: Drbg
    ) -> pa.StringArray:
        """What several people may have: somebody's, or a new one, as often as people do."""
        place = drbg.permutation(len(column))
        taken = whose(coded(column), other, place, drbg)
        if kind in _FEW:
            return column.take(pa.array(np.where(taken >= 0, taken, other)))
        fresh = np.flatnonzero(taken < 0)
        if kind in _WORDS:
            near = Neighbours.of(np.zeros(len(column), np.int64), place, drbg)
            maker, women = WordMaker.of(column, near, kind, drbg), self._women(rows[fresh])
            (new,) = unheard([maker], other[fresh], women, column, drbg)
        else:
            new = nobodys(column, other[fresh], drbg)
        return chosen(column, taken, fresh, new)

    def _names(self) -> None:
        """The name's fields together: a whole name is somebody's as often as people share one."""
        names = self._kinds(Kind.PERSON_NAME)
        for group in groups_of_names(self._schema, names):
            given = [pc.not_equal(self._sound[n], "").to_numpy(zero_copy_only=False) for n in group]
            pattern = np.zeros(self._total, np.int64)
            for place, there in enumerate(given):
                pattern |= there.astype(np.int64) << place
            holders = np.flatnonzero(pattern)
            rows = np.flatnonzero(pattern[self._like])
            drbg = self._drbg.fork(group[0])
            columns = [self._sound[n].take(pa.array(holders)) for n in group]
            made = self._named(columns, pattern[holders], holders, rows, drbg) if rows.size else []
            for name, column in zip(group, made, strict=False):
                self._made[name] = placed(column, rows, self._like.size)

    def _named(
        self, columns: Sequence[pa.StringArray], pattern: Numbers, holders: Numbers, rows: Numbers,
        drbg: Drbg,
    ) -> list[pa.StringArray]:  # fmt: skip
        """The names of cover people ``rows``, by field."""
        block = pattern * (WOMAN + 1) + self._sex[holders]
        near = Neighbours.of(block, self._year[holders], drbg)
        other = near.pick(np.searchsorted(holders, self._like[rows]), drbg)
        joined = pc.binary_join_element_wise(*columns, _APART)
        codes = coded(joined)
        taken = whose(codes, other, near.rank, drbg)
        self._namesake_year[rows] = self._unlike(codes, self._year[holders], taken, drbg)
        fresh = np.flatnonzero(taken < 0)
        women = self._women(rows[fresh])
        makers = [WordMaker.of(c, near, Kind.PERSON_NAME, drbg) for c in columns]
        new = unheard(makers, other[fresh], women, joined, drbg) if fresh.size else columns
        return [chosen(c, taken, fresh, n) for c, n in zip(columns, new, strict=True)]

    @staticmethod
    def _unlike(codes: Numbers, year: Numbers, taken: Numbers, drbg: Drbg) -> Numbers:
        """The year that each newcomer is not born in: its namesake's, or it would be too often.

        The namesake is near in age. Negative: it is born in that year, as often as namesakes are.
        """
        both = np.unique(np.stack([codes, year]), axis=1, return_inverse=True)[1].reshape(-1)
        pairs, same = (_pairs(np.bincount(c)) for c in (codes, both))
        rate = same / pairs if pairs else 0.0
        chance = drbg.integers(taken.size, 1 << 40) / (1 << 40)
        theirs = np.where(taken >= 0, year[np.maximum(taken, 0)], 0)
        return np.where(chance < rate, -theirs, theirs)

    def _women(self, rows: Numbers) -> Flags:
        women: Flags = self._sex[self._like[rows]] == WOMAN
        return women

    def _at_home(self, holders: Numbers, rows: Numbers, drbg: Drbg) -> Numbers:
        """Places among ``holders`` of those at whose home the cover people are, or of anybody.

        Place, district, household: they go together.
        """
        at = np.minimum(np.searchsorted(holders, self._home[rows]), holders.size - 1)
        there = holders[at] == self._home[rows]
        return np.where(there, at, drbg.integers(rows.size, holders.size))

    def _birth(self, rows: Numbers) -> pa.StringArray:
        if not self._born:
            return pa.array([""] * rows.size, pa.string())
        return self._made[self._born].take(pa.array(rows))

    def _niks(
        self, column: pa.StringArray, own: Numbers, rows: Numbers, holders: Numbers, drbg: Drbg
    ) -> pa.StringArray:
        """NIKs of the newcomers' own dates and sexes, of others' districts and serial numbers."""
        fit = pc.equal(pc.utf8_length(column), NIK_DIGITS).to_numpy(zero_copy_only=False)
        if not fit.all():
            return nobodys(column, self._at_home(holders, rows, drbg), drbg)
        digits = digits_of(column, NIK_DIGITS)
        woman = digits[:, 6] >= ord("4")
        agrees = self._agreeing(column, holders)[own]

        def make(some: Numbers) -> pa.StringArray:
            made = area_and_serial(digits, self._at_home(holders, rows[some], drbg), drbg)
            # Of who disagrees with the own birth date, or has none, it is somebody else's.
            like = digits[drbg.integers(some.size, len(digits)), 6:12]
            made[:, 6:12] = like
            made[:, 6] += np.uint8(4) * (woman[own[some]].astype(np.uint8))
            made[:, 6] -= np.uint8(4) * (like[:, 0] >= ord("4")).astype(np.uint8)
            born = pc.if_else(pa.array(agrees[some]), self._birth(rows[some]), "")
            return text_of_digits(with_birth(made, born, woman[own[some]]))

        return of_nobody(make(np.arange(rows.size)), column, make, drbg)

    def _agreeing(self, numbers: pa.StringArray, holders: Numbers) -> Flags:
        """Whose number holds the birth date that the person has, ``bool[holders]``."""
        if not self._born:
            return np.zeros(holders.size, np.bool_)
        born = self._sound[self._born].take(pa.array(holders))
        held = derive(Kind.NIK, "birth_date", numbers)
        # The century is not in a NIK.
        same = pc.equal(pc.utf8_slice_codeunits(held, 2, 10), pc.utf8_slice_codeunits(born, 2, 10))
        agreeing: Flags = same.to_numpy(zero_copy_only=False)
        return agreeing

    def _nips(
        self, column: pa.StringArray, own: Numbers, rows: Numbers, drbg: Drbg
    ) -> pa.StringArray:
        """NIPs of the newcomers' own dates; when they began to serve is somebody's of that age."""
        new = pc.equal(pc.utf8_length(column), NIP_DIGITS).to_numpy(zero_copy_only=False)
        made = nobodys(column, own, drbg)
        late, mine = np.flatnonzero(new), np.flatnonzero(new[own])
        if not mine.size:
            return made
        digits = digits_of(column.take(pa.array(late)), NIP_DIGITS)
        year = digits[:, :4].astype(np.int64) @ np.array([1000, 100, 10, 1])
        near = Neighbours.of(digits[:, 14].astype(np.int64), year, drbg)
        place = np.searchsorted(late, own[mine])
        held = column.take(pa.array(late))

        def make(some: Numbers) -> pa.StringArray:
            number = digits[near.pick(place[some], drbg)]
            number[:, 15:] = digits[drbg.integers(some.size, len(digits)), 15:]
            born = self._birth(rows[mine[some]])
            known = np.flatnonzero(whole(born))
            date = digits_of(born.take(pa.array(known)), 10)
            number[known, :8] = date[:, [0, 1, 2, 3, 5, 6, 8, 9]]
            return text_of_digits(number)

        return replaced(made, mine, of_nobody(make(np.arange(mine.size)), held, make, drbg))

    def _is_nik(self, name: str) -> bool:
        """Whether the field holds people's NIKs, as their tax numbers now do."""
        niks = self._kinds(Kind.NIK)
        if not niks or niks[0] not in self._made:
            return False
        same = pc.equal(self._sound[name], self._sound[niks[0]]).to_numpy(zero_copy_only=False)
        given = pc.not_equal(self._sound[name], "").to_numpy(zero_copy_only=False)
        return bool(same[given].mean() > 0.5)

    def _as_given(self, name: str) -> pa.StringArray:
        """The field with the gaps and the doubtful values that people have."""
        like = self._people[name].take(pa.array(self._like))
        made = self._made.get(name)
        made = like if made is None else made
        doubtful = pc.starts_with(self._people[name], DOUBT).to_numpy(zero_copy_only=False)
        some, rows = np.flatnonzero(doubtful), np.flatnonzero(doubtful[self._like])
        made = pc.if_else(pc.equal(like, ""), "", made)
        if rows.size:
            drbg = self._drbg.fork(f"doubtful {name}")
            other = self._people[name].take(pa.array(some[drbg.integers(rows.size, some.size)]))
            made = replaced(made, rows, other)
        return made

    def _with_copies(self, made: Fields) -> Fields:
        """As many of them twice as people are."""
        numbers = [n for f in OWN_KINDS for n in self._kinds(f)]
        again = np.zeros(self._total, np.bool_)
        for name in numbers:
            codes = coded(self._sound[name])
            first = np.zeros(codes.size, np.bool_)
            first[np.unique(codes, return_index=True)[1]] = True
            again |= ~first & (codes >= 0)
        if not again.any():
            return made
        twice = np.flatnonzero(again[self._like])
        once = np.flatnonzero(~again[self._like])
        if not once.size:
            return made
        source = np.arange(self._like.size)
        source[twice] = once[self._drbg.integers(twice.size, once.size)]
        return {name: column.take(pa.array(source)) for name, column in made.items()}


def _pairs(sizes: Numbers) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
