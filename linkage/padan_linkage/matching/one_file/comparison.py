"""One table: how two records compare, field by field, and how often strangers compare so.

A field's outcome is a cell: equal; or the level of distance together with which exact keys of the
field agree. Spec: ``proto/spec/35-matching.md``, "One table".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from padan_linkage.matching.one_file.own_file import (
    Float,
    Measured,
    Meetings,
    OwnFile,
    Rows,
    inside,
    name_of,
    pairs_inside,
)
from padan_linkage.matching.scoring.features import LEVEL_EDGES, LEVELS, SURE_LEVEL
from padan_linkage.schema import Kind, Schema

#: Pairs of strangers measured of each of their tables.
STRANGER_PAIRS = 600_000
#: Pairs of strangers that every cell has in advance, and that agree in advance.
EACH_CELL, EQUAL = 0.3, 0.01
#: Pairs of strangers from which the first of these has its whole weight.
PLENTY = 100_000

#: A field in which so many strangers agree says little of who is who. It makes strata, unless so
#: many agree that what is true of all is true of one stratum, or so many miss it.
COMMON, NEARLY_ALL, MOST_MISSING = 0.15, 0.45, 0.3

#: The cell of a missing value, and of an equal one; others hold a level and the keys that agree.
MISSING, EQUAL_CELL = -1, 0


@dataclass(frozen=True, repr=False)
class Strangers:
    """Pairs of records taken at random: ``a``, ``b`` int64[s] and, by segment, ``apart``.

    ``pair``: int64[s], which of the pairs that meet it is, -1 if none.
    """

    a: Rows
    b: Rows
    pair: Rows
    apart: dict[str, Float]

    @classmethod
    def of(cls, own: OwnFile, met: Meetings) -> list[Strangers]:
        """From every table of strangers; without one, records at random."""
        parts = []
        for table in own.strangers:
            rows, token = table.real()
            mine, theirs = _thinned(token)
            pairs = Measured.of(table, rows[mine], rows[theirs])
            different = pairs.a != pairs.b
            names = [name_of(s.fields) for s in table.p.similar]
            columns = dict(zip(names, pairs.apart[different].T, strict=True))
            a, b = pairs.a[different], pairs.b[different]
            parts.append(cls(a, b, met.find(a, b), columns))
        return parts or [_at_random(met)]


def _thinned(token: Rows) -> tuple[Rows, Rows]:
    """Pairs of positions of one token: all, or every k-th."""
    step = max(1, -(-pairs_inside(token, len(token)) // STRANGER_PAIRS))
    pieces = [(mine[::step], theirs[::step]) for mine, theirs in inside(token, len(token))]
    nobody = np.zeros(0, np.int64)
    mine, theirs = (np.concatenate([nobody, *(p[side] for p in pieces)]) for side in (0, 1))
    return mine, theirs


def _at_random(met: Meetings) -> Strangers:
    """Each record with those that come so many places after it."""
    place = np.arange(met.records)
    shifts = np.unique(np.linspace(1, max(1, met.records - 1), 40).astype(np.int64))
    a = np.concatenate([place for _ in shifts])
    b = np.concatenate([(place + s) % max(1, met.records) for s in shifts])
    a, b = a[a != b], b[a != b]
    return Strangers(a, b, met.find(a, b), {})


@dataclass(frozen=True, repr=False)
class Field:
    """How all pairs compare in one field.

    ``cell``: int64[n], numbers of the pairs' cells; ``drawn``: float64[2, cells], pairs of
    strangers by cell, apart and of one stratum; of these those that meet are listed, int64[s]:
    ``known_cell``, ``known_pair``, and bool[s] ``known_near``. Of the cells, ``missing``, ``equal``
    and ``far``: bool[cells], nothing of the field agrees.
    ``personal``: PERSON_NAME or DATE if it is such a field, else None.
    ``value``: int64[records] where equality is of values, else None; ``equal_pairs``: float64[2],
    pairs of records in the file that have equal ones, apart and of one stratum.
    """

    name: str
    personal: Kind | None
    cell: Rows
    drawn: Float
    known_cell: Rows
    known_pair: Rows
    known_near: NDArray[np.bool_]
    missing: NDArray[np.bool_]
    equal: NDArray[np.bool_]
    far: NDArray[np.bool_]
    value: Rows | None
    equal_pairs: Float

    def among_strangers(
        self, right: Float, near: NDArray[np.bool_], pairs: Float, *, alike: bool
    ) -> Float:
        """Probability of each cell for strangers, float64[cells]; 1 for the missing one.

        ``right``: float64[n], how likely each pair is a match: so far it is not counted; ``near``:
        bool[n], which pairs are of one stratum; ``pairs``: float64[2], of records in the file,
        apart and of one; ``alike``: strangers of one stratum are meant. How many are equal is
        counted, not drawn.
        """
        drawn, everybody = self.drawn[int(alike)], float(pairs[int(alike)])
        number = max(1.0, float(drawn.sum()))
        sample = min(everybody, number)
        here = self.known_near == alike
        weights = right[self.known_pair[here]]
        matches = np.bincount(self.known_cell[here], weights=weights, minlength=len(drawn))
        seen: Float = (drawn - matches) * (sample / number)
        if self.value is not None and self.equal.any():
            matched = float(right[self.equal[self.cell] & (near == alike)].sum())
            share = sample / max(1.0, everybody)
            seen[self.equal] = max(0.0, float(self.equal_pairs[int(alike)]) - matched) * share
        seen += EACH_CELL * min(1.0, sample / PLENTY) + EQUAL * self.equal
        seen[self.missing] = 0.0
        chance: Float = seen / max(seen.sum(), 1e-300)
        chance[self.missing] = 1.0
        return chance


@dataclass(frozen=True, repr=False)
class ComparedFields:
    """How the pairs compare in every field, and the strata of the records.

    ``strata``: int64[records], equal numbers where all common fields are equal, -1 where one is
    missing.
    """

    fields: list[Field]
    strata: Rows


def fields_of(schema: Schema, own: OwnFile, met: Meetings) -> ComparedFields:
    """Compare all pairs that meet, and strangers, in every field that a pass looks at."""
    strangers = Strangers.of(own, met)
    names = _compared(schema, met)
    common = [name for name in names if _is_common(schema, name, own)]
    strata = numbered([own.values[name] for name in common], own.records)
    fields = [
        _field(schema, name, keys, own, met, strangers, strata) for name, keys in names.items()
    ]
    return ComparedFields(fields, strata)


def _is_common(schema: Schema, name: str, own: OwnFile) -> bool:
    """Whether so many strangers have equal values, and so few miss one, that it makes strata."""
    value = own.values.get(name)
    if value is None or _personal(schema, name) or (value < 0).mean() > MOST_MISSING:
        return False
    everybody = own.records * (own.records - 1) / 2
    alike = pairs_inside(value[value >= 0], own.records) / max(1.0, everybody)
    return COMMON <= alike < NEARLY_ALL


def numbered(columns: list[Rows], records: int) -> Rows:
    """Numbers of the combinations, -1 where a value is missing or there are no columns."""
    if not columns:
        return np.full(records, -1)
    number: Rows = np.unique(np.stack(columns), axis=1, return_inverse=True)[1].reshape(-1)
    return np.where((np.stack(columns) >= 0).all(axis=0), number, -1)


def near(strata: Rows, a: Rows, b: Rows) -> NDArray[np.bool_]:
    """Which pairs of records are of one stratum, bool[n]."""
    return np.asarray((strata[a] == strata[b]) & (strata[a] >= 0), np.bool_)


def _compared(schema: Schema, met: Meetings) -> dict[str, list[str]]:
    """The fields, and the exact keys derived from each.

    A name that is given whole beside its parts is no field of its own: it would count twice.
    """
    parts = {part for name in met.names for part in name.split("+")}
    named = any(schema.kind(part) is Kind.PERSON_NAME for part in parts)
    found: dict[str, list[str]] = {name: [] for name in met.names}
    beside = [name for p in schema.passes for s in p.similar for name in s.beside]
    for key in dict.fromkeys([*(key for p in schema.passes for key in p.exact), *beside]):
        base, _, derivation = key.partition(":")
        holders = [name for name in met.names if base in name.split("+")]
        if not holders and named and schema.kind(base) is Kind.PERSON_NAME:
            continue
        for holder in holders or [base]:
            keys = found.setdefault(holder, [])
            if derivation or holder != key:
                keys.append(key)
    return found


def _personal(schema: Schema, name: str) -> Kind | None:
    kinds = {schema.kind(part) for part in name.split("+")}
    return next((k for k in (Kind.PERSON_NAME, Kind.DATE) if kinds == {k}), None)


def _field(
    schema: Schema,
    name: str,
    keys: list[str],
    own: OwnFile,
    met: Meetings,
    strangers: list[Strangers],
    strata: Rows,
) -> Field:
    own_cells = _cells(name, keys, own.values, met.a, met.b, _column(met, name))
    drawn, which, close = [], [], []
    holding = [s for s in strangers if name in s.apart] or strangers[:1]
    for s in holding:
        drawn.append(_cells(name, keys, own.values, s.a, s.b, s.apart.get(name)))
        which.append(s.pair)
        close.append(near(strata, s.a, s.b))
    others, pair, alike = np.concatenate(drawn), np.concatenate(which), np.concatenate(close)
    cells, place = _counted(np.concatenate([others, [MISSING, EQUAL_CELL], own_cells]))
    known = np.flatnonzero(pair >= 0)
    level, agreeing = cells >> len(keys), cells & ((1 << len(keys)) - 1)
    value = own.values.get(name)
    cell_of = place[: len(others)]
    return Field(
        name=name,
        personal=_personal(schema, name),
        cell=place[len(others) + 2 :],
        drawn=np.stack(
            [np.bincount(cell_of[alike == side], minlength=len(cells)) for side in (False, True)]
        ).astype(np.float64),
        known_cell=place[known],
        known_pair=pair[known],
        known_near=alike[known],
        missing=cells == MISSING,
        equal=cells == EQUAL_CELL,
        far=(level >= SURE_LEVEL) & (agreeing == 0),
        value=value,
        equal_pairs=_equal_pairs(value, strata),
    )


def _counted(cell: Rows) -> tuple[Rows, Rows]:
    """The cells that occur, ascending, and the place of each one of ``cell`` among them.

    Cells are few small numbers: they are counted, not sorted.
    """
    there = np.bincount(cell - MISSING) > 0
    return np.flatnonzero(there) + MISSING, (np.cumsum(there) - 1)[cell - MISSING]


def _equal_pairs(value: Rows | None, strata: Rows) -> Float:
    """Pairs of records with equal values, apart and of one stratum, float64[2]."""
    if value is None:
        return np.zeros(2)
    there, inside_one = value >= 0, (value >= 0) & (strata >= 0)
    both = numbered([value[inside_one], strata[inside_one]], int(inside_one.sum()))
    close = pairs_inside(both, len(value)) if len(both) else 0
    return np.array([pairs_inside(value[there], len(value)) - close, close], np.float64)


def _column(met: Meetings, name: str) -> Float | None:
    return met.apart[:, met.names.index(name)] if name in met.names else None


def _cells(
    name: str, keys: list[str], values: Mapping[str, Rows], a: Rows, b: Rows, apart: Float | None
) -> Rows:
    """The cell of every pair: int64[n]."""
    agreeing = np.zeros(len(a), np.int64)
    there = np.ones(len(a), np.bool_)
    for bit, key in enumerate(keys):
        left, right = values[key][a], values[key][b]
        agreeing |= ((left == right) & (left >= 0)).astype(np.int64) << bit
        there &= (left >= 0) & (right >= 0)
    level = np.full(len(a), LEVELS - 1)
    equal = np.zeros(len(a), np.bool_)
    whole = values.get(name)
    if whole is not None:
        there = (whole[a] >= 0) & (whole[b] >= 0)
        equal = whole[a] == whole[b]
    if apart is not None:
        known = ~np.isnan(apart)
        edges = np.array(LEVEL_EDGES)
        measured = np.searchsorted(edges, np.nan_to_num(apart) - 1e-9, side="left")
        level = np.where(known, measured, LEVELS - 1)
        equal = np.where(known, measured == 0, equal)
        there &= known | equal
    cell = np.where(equal, EQUAL_CELL, (level << len(keys)) | agreeing)
    return np.where(there, cell, MISSING)
