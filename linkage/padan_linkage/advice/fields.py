"""Which fields the two files have in common, and which columns of each make them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from padan_linkage.advice.columns import SampledColumn, folded
from padan_linkage.advice.recognise import Recognised, guessed, is_wordy, keeps, recognise
from padan_linkage.advice.remarks import Remark
from padan_linkage.advice.vocabulary import Meaning
from padan_linkage.schema import Kind

#: Roles of which a person has one: they pair across the files whatever the columns are called.
_PLURAL = frozenset(
    {Meaning.CATEGORY, Meaning.PLACE, Meaning.ADDRESS, Meaning.OTHER_DATE, Meaning.RELATIVE,
     Meaning.IDENTITY, Meaning.PHONE}
)  # fmt: skip
_NAME_PARTS = (Meaning.GIVEN_NAME, Meaning.MIDDLE_NAME, Meaning.SURNAME)
_DATE_PARTS = (Meaning.BIRTH_YEAR, Meaning.BIRTH_MONTH, Meaning.BIRTH_DAY)
_LONGEST_NAME = 40
#: Names that stand in parts are of so many words at most, on average.
_ONE_WORD = 1.5


@dataclass(frozen=True)
class FieldChoice:
    """A field of the schema: its columns on either side, joined by a blank where several."""

    name: str
    kind: Kind
    role: Meaning
    columns_a: tuple[str, ...]
    columns_b: tuple[str, ...]
    said: tuple[Remark, ...]


@dataclass(frozen=True)
class LeftOut:
    """A column that is not used, and why."""

    side: str
    column: str
    said: Remark


@dataclass(frozen=True)
class Fields:
    """All choices about columns."""

    chosen: tuple[FieldChoice, ...]
    left_out: tuple[LeftOut, ...]

    def without(self, names: set[str], said: Callable[[str], Remark], *, two: bool) -> Fields:
        """The same but for fields that are not worth their bits; ``said``: why, of a column."""
        out = [f for f in self.chosen if f.name in names]
        left = [
            LeftOut(side, column, said(column))
            for f in out
            for side, columns in (("A", f.columns_a), *((("B", f.columns_b),) if two else ()))
            for column in columns
        ]
        kept = tuple(f for f in self.chosen if f.name not in names)
        return Fields(kept, (*self.left_out, *left))

    def of(self, *roles: Meaning) -> list[FieldChoice]:
        """The fields with one of these roles, in the order of ``roles``."""
        return [f for role in roles for f in self.chosen if f.role is role]


Side = dict[str, Recognised]


def choose_fields(
    a: pa.Table, b: pa.Table | None, told: Mapping[str, Kind], only: Iterable[str] = ()
) -> Fields:
    """Recognise the columns of both tables and pair them.

    ``told``: column to kind, from the user. ``only``: if given, no other columns are looked at.
    """
    wanted = set(only)
    side_a = _look(a, told, wanted)
    if b is None:
        _guess_words(side_a, side_a)
        return _Pairing(side_a, side_a, one=True).result()
    side_b = _look(b, told, wanted)
    side_a, side_b = _agreed(side_a, side_b), _agreed(side_b, side_a)
    _guess_words(side_a, side_b)
    # Spec 45, "Fields", step 2.
    return _Pairing(side_a, side_b, one=False).result()


def _look(table: pa.Table, told: Mapping[str, Kind], wanted: set[str]) -> Side:
    names = [n for n in table.column_names if not wanted or n in wanted]
    return {n: recognise(SampledColumn.of(table, n), told.get(n)) for n in names}


def _agreed(mine: Side, theirs: Side) -> Side:
    """Where one side could not tell what the other knows of a column of that name, follow it.

    As far as the contents may be that: the day of birth is no whole date.
    """
    known = {folded(n): r for n, r in theirs.items() if r.kind is not None}
    result: Side = {}
    for name, found in mine.items():
        other = known.get(folded(name))
        vague = found.role in {Meaning.UNKNOWN, Meaning.CATEGORY} and found.column.distinct > 1
        if other is not None and vague and keeps(found.column, other.role):
            found = replace(found, role=other.role, kind=other.kind)  # noqa: PLW2901
        result[name] = found
    return result


def _guess_words(a: Side, b: Side) -> None:
    """Take columns of words that nobody knows, but both files have, for names, then for places.

    Without a column that is known to hold names, the first two of single words are given names and
    surnames; which is which matters little, as long as it is so on both sides.
    """
    in_b = {folded(name): name for name in b}
    named = any(r.role in {*_NAME_PARTS, Meaning.FULL_NAME, Meaning.COMPANY} for r in a.values())
    parts = [] if named else [Meaning.GIVEN_NAME, Meaning.SURNAME]
    for name in list(a):
        other = in_b.get(folded(name))
        if other is None or not (is_wordy(a[name]) and is_wordy(b[other])):
            continue
        role = parts.pop(0) if parts and a[name].column.words < _ONE_WORD else Meaning.PLACE
        a[name], b[other] = guessed(a[name], role), guessed(b[other], role)


class _Pairing:
    """Takes columns from both sides until none is left."""

    def __init__(self, a: Side, b: Side, *, one: bool) -> None:
        self._a, self._b, self._one = dict(a), dict(b), one
        self._chosen: list[FieldChoice] = []
        self._left: list[LeftOut] = []

    def result(self) -> Fields:
        """Pair everything, in the order in which fields should stand."""
        self._drop_unusable()
        self._names()
        self._birth()
        self._singles()
        self._plurals()
        self._leave_rest()
        return Fields(tuple(self._chosen), tuple(self._left))

    def _drop_unusable(self) -> None:
        for label, side in (("A", self._a), ("B", self._b)):
            unusable = [
                n
                for n, r in side.items()
                if r.kind is None and r.role not in {*_DATE_PARTS, Meaning.PLACE_AND_DATE}
            ]
            for name in unusable:
                found = side.pop(name)
                if label == "A" or not self._one:
                    self._left.append(LeftOut(label, name, found.said))

    def _with(self, side: Side, role: Meaning) -> Recognised | None:
        """The fullest column of a role on one side."""
        found = [r for r in side.values() if r.role is role]
        return max(found, key=lambda r: r.column.share_filled, default=None)

    def _add(
        self, name: str, kind: Kind, role: Meaning,
        a: list[Recognised], b: list[Recognised], *said: Remark,
    ) -> None:  # fmt: skip
        taken = {f.name for f in self._chosen}
        name = _identifier(name)
        while name in taken:
            name = f"{name}_2"
        reasons = tuple(r.said for r in a) if self._one else tuple(r.said for r in (*a, *b))
        columns = (tuple(r.name for r in a), tuple(r.name for r in b))
        self._chosen.append(FieldChoice(name, kind, role, *columns, (*reasons, *said)))

    def _take(self, *found: Recognised) -> None:
        for r in found:
            for side in (self._a, self._b):
                if side.get(r.name) is r:
                    del side[r.name]

    def _drop(self, role: Meaning, said_of: Remark) -> None:
        """Leave out every column of ``role`` that is still there, for one reason."""
        for label, side in (("A", self._a), ("B", self._b)):
            for name in [n for n, r in side.items() if r.role is role]:
                del side[name]
                if label == "A" or not self._one:
                    said = Remark(f"{name}: {said_of.id_text}", f"{name}: {said_of.en_text}")
                    self._left.append(LeftOut(label, name, said))

    def _names(self) -> None:
        a = {role: self._with(self._a, role) for role in (*_NAME_PARTS, Meaning.FULL_NAME)}
        b = {role: self._with(self._b, role) for role in (*_NAME_PARTS, Meaning.FULL_NAME)}
        parts = [r for r in (Meaning.GIVEN_NAME, Meaning.SURNAME) if a[r] and b[r]]
        if len(parts) == 2:
            self._name_in_parts(a, b)
            self._drop(Meaning.FULL_NAME, Remark("mengulang nama yang sudah terbagi.",
                                            "repeats the name that stands in parts."))  # fmt: skip
            return
        # Spec 45, "Fields", step 3.
        whole_a, whole_b = _whole(a), _whole(b)
        if not whole_a or not whole_b:
            return
        self._take(*whole_a, *whole_b)
        self._add("name" if len(whole_a) > 1 else whole_a[0].name, Kind.PERSON_NAME,
                  Meaning.FULL_NAME, whole_a, whole_b)  # fmt: skip
        repeated = Remark("sudah termuat dalam nama.", "is part of the name already.")
        for role in (Meaning.FULL_NAME, *_NAME_PARTS):
            self._drop(role, repeated)

    def _name_in_parts(
        self, a: Mapping[Meaning, Recognised | None], b: Mapping[Meaning, Recognised | None]
    ) -> None:
        joined_a, joined_b = [], []
        for role in _NAME_PARTS:
            left, right = a[role], b[role]
            if left is None or right is None:
                continue
            self._take(left, right)
            initial = Kind.TEXT in {left.kind, right.kind}
            self._add(left.name, Kind.TEXT if initial else Kind.PERSON_NAME, role, [left], [right])
            if role is not Meaning.MIDDLE_NAME:
                joined_a.append(left)
                joined_b.append(right)
        joined = Remark(
            "nama depan dan belakang digabung, agar yang tertukar tetap bertemu.",
            "given name and surname joined, so that swapped ones still meet.",
        )
        self._add("name", Kind.PERSON_NAME, Meaning.FULL_NAME, joined_a, joined_b, joined)

    def _birth(self) -> None:
        a, b = _birth_of(self._a), _birth_of(self._b)
        if a and b:
            self._take(*a, *b)
            name = a[0].name if a[0].role is Meaning.BIRTH_DATE else "birth_date"
            self._add(name, Kind.DATE, Meaning.BIRTH_DATE, a, b)
            repeated = Remark("sudah termuat dalam tanggal lahir.", "is part of the birth date.")
            for role in _DATE_PARTS:
                self._drop(role, repeated)
        for role in _DATE_PARTS:
            left, right = self._with(self._a, role), self._with(self._b, role)
            if left and right:
                self._take(left, right)
                lone = Meaning.BIRTH_YEAR if role is Meaning.BIRTH_YEAR else Meaning.CATEGORY
                self._add(left.name, Kind.CODE, lone, [left], [right])
        if any(f.role in {Meaning.BIRTH_DATE, Meaning.BIRTH_YEAR} for f in self._chosen):
            self._drop(Meaning.AGE, Remark("mengulang tahun lahir.", "repeats the year of birth."))
        a, b = _birthplace_of(self._a, a), _birthplace_of(self._b, b)
        if a and b:
            self._take(*a, *b)
            name = a[0].name if a[0].role is Meaning.BIRTHPLACE else "birthplace"
            self._add(name, Kind.PLACE, Meaning.BIRTHPLACE, a, b)

    def _singles(self) -> None:
        """Roles of which there is one: paired by role."""
        for role in Meaning:
            if role in _PLURAL or role in {*_NAME_PARTS, Meaning.FULL_NAME}:
                continue
            left, right = self._with(self._a, role), self._with(self._b, role)
            if left and right and left.kind is not None:
                self._take(left, right)
                self._add(left.name, left.kind, role, [left], [right])

    def _plurals(self) -> None:
        """Roles of which there may be many: paired by name, the only ones left by role."""
        by_name = {folded(n): r for n, r in self._b.items()}
        for left in list(self._a.values()):
            right = by_name.get(folded(left.name))
            if right is not None and left.kind is not None and right.role is left.role:
                self._take(left, right)
                self._add(left.name, left.kind, left.role, [left], [right])
        for role in _PLURAL - {Meaning.CATEGORY}:
            mine = [r for r in self._a.values() if r.role is role]
            theirs = [r for r in self._b.values() if r.role is role]
            if len(mine) == 1 == len(theirs) and mine[0].kind is not None:
                self._take(mine[0], theirs[0])
                self._add(mine[0].name, mine[0].kind, role, mine, theirs)

    def _leave_rest(self) -> None:
        for label, side, other in (("A", self._a, "B"), ("B", self._b, "A")):
            for name in side:
                said = Remark(
                    f"{name}: tidak ada padanannya di berkas {other}.",
                    f"{name}: file {other} has nothing to compare it with.",
                )
                self._left.append(LeftOut(label, name, said))


def _whole(parts: Mapping[Meaning, Recognised | None]) -> list[Recognised]:
    """The columns that together are a whole name: the full one, else all parts there are."""
    full = parts[Meaning.FULL_NAME]
    if full is not None:
        return [full]
    return [found for role in _NAME_PARTS if (found := parts[role]) is not None]


def _birth_of(side: Side) -> list[Recognised]:
    """The columns that make a birth date: one whole, else year, month and day, else with place.

    A column of dates with another name will do if it is the only one.
    """
    by_role = {role: [r for r in side.values() if r.role is role] for role in Meaning}
    for role in (Meaning.BIRTH_DATE, Meaning.PLACE_AND_DATE):
        if by_role[role]:
            return [max(by_role[role], key=lambda r: r.column.share_filled)]
    if all(by_role[role] for role in _DATE_PARTS):
        return [by_role[role][0] for role in _DATE_PARTS]
    return by_role[Meaning.OTHER_DATE] if len(by_role[Meaning.OTHER_DATE]) == 1 else []


def _birthplace_of(side: Side, birth: list[Recognised]) -> list[Recognised]:
    found = [r for r in side.values() if r.role is Meaning.BIRTHPLACE]
    return found[:1] or [r for r in birth if r.role is Meaning.PLACE_AND_DATE]


def _identifier(name: str) -> str:
    """A column name as a field name: ``Tanggal Lahir`` → tanggal_lahir."""
    clean = re.sub(r"^[^a-z]+", "", folded(name))[:_LONGEST_NAME]
    return clean or "field"
