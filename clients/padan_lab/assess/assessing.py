"""`padan assess` from folder to findings. Start at :func:`assess`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_client.records import prepare, read_table
from padan_lab.assess.controls import Control, controls
from padan_lab.assess.ingredients import Ingredient, ingredients
from padan_lab.assess.material.attacker_view import Numbers, SeenTable
from padan_lab.assess.material.dump import Dump, read_dump, sample
from padan_lab.assess.material.schemes import Fields, PassScheme
from padan_lab.assess.suite import (
    AttackLimits,
    Rate,
    Shown,
    View,
    assess_alignment,
    assess_pass,
    strangers,
)
from padan_linkage.schema import Pass, Schema

#: What is being done, how many steps are done, and of how many.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Effort:
    """How hard to try: rows attacked at most, simulated keys, victims, rows in the controls."""

    rows: int
    keys: int
    victims: int
    control_people: int

    @classmethod
    def of(cls, *, quick: bool) -> Effort:
        """A minute or two, or as long as it takes."""
        return cls(600, 2, 2, 1_000) if quick else cls(5_000, 8, 3, 1_000)


@dataclass(frozen=True)
class PassFindings:
    """One pass. ``groups``: middle and largest number of persons that share a salt.

    ``rates`` by those who know the population, ``null`` by those who know another one; ``limits``
    are the largest tolerable rates by view, of the views that have one.
    """

    p: Pass
    persons: int
    rows: int
    groups: tuple[int, int]
    limits: Mapping[View, float]
    rates: tuple[Rate, ...]
    null: tuple[Rate, ...]

    def standing(self, rate: Rate) -> Shown:
        """What one of the rates shows against its limit."""
        return rate.standing(self.limits[rate.view])

    def above(self) -> list[Rate]:
        """Attacks that find more than tolerated: even the interval's low end is above."""
        return [r for r in self.rates if self.standing(r) is Shown.ABOVE]

    def telling(self) -> bool:
        """Whether there are enough people for every rate to be shown above or within."""
        return all(self.standing(r) is not Shown.UNSHOWN for r in self.rates)

    @property
    def worst(self) -> float:
        """How near the nearest rate comes to its limit, as a share of it."""
        return max((r.persons / self.limits[r.view] for r in self.rates), default=0.0)


@dataclass(frozen=True)
class Assessment:
    """Everything found; passes worst first.

    ``made``: the dump had no row order, so its schema was encoded anew. ``ingredients``: what the
    assessed encoding is without one of its parts.
    """

    schema: Schema
    population: int
    made: bool
    effort: Effort
    passes: tuple[PassFindings, ...]
    alignment: tuple[Rate, ...]
    controls: tuple[Control, ...]
    ingredients: tuple[Ingredient, ...]

    def sound(self) -> bool:
        """Whether the attacks work here: plain filters fall."""
        return all(c.fell() for c in self.controls)

    def above(self) -> bool:
        """Whether an attack exceeds its limit in some pass."""
        return any(p.above() for p in self.passes)

    def within(self) -> bool:
        """Whether every attack is shown to be within its limit in every pass."""
        return not self.above() and all(p.telling() for p in self.passes)


def assess(
    folder: Path,
    population: Path | None,
    *,
    side: str = "a",
    columns: Mapping[str, str] | None = None,
    quick: bool = False,
    seed: int = 1,
    progress: Progress | None = None,
) -> Assessment:
    """Attack a dump as the linkage unit could. Raises BadInputError.

    ``population``: what the attacker knows, by default the encoded persons themselves; ``columns``:
    schema field to column of that file.
    """
    effort = Effort.of(quick=quick)
    dump = read_dump(folder, side)
    known = None if population is None else _read(population, dump.schema, columns)
    people, tables, made = _victims(dump, known, seed)
    limits = AttackLimits.of(dump.schema)
    steps = len(dump.schema.passes) + 3

    def tell(what: str, done: int) -> None:
        if progress is not None:
            progress(what, done, steps)

    findings = []
    for number, p in enumerate(dump.schema.passes):
        tell(p.id, number)
        findings.append(_assess_pass(dump.schema, p, people, tables[p.id], limits, effort, seed))
    tell(t("jalur bersama", "passes together"), steps - 3)
    alignment = tuple(_alignment(dump.schema, people, tables, effort, seed))
    tell(t("tanpa salah satu bagian", "without one of its parts"), steps - 2)
    without = tuple(_without_parts(dump.schema, findings, people, tables, effort, seed))
    tell(t("pembanding", "controls"), steps - 1)
    return Assessment(
        schema=dump.schema,
        population=len(next(iter(people.values()))),
        made=made,
        effort=effort,
        passes=tuple(sorted(findings, key=lambda f: -f.worst)),
        alignment=alignment,
        controls=tuple(controls(effort.control_people, seed)),
        ingredients=without,
    )


def _without_parts(
    schema: Schema,
    findings: Sequence[PassFindings],
    people: Fields,
    tables: Mapping[str, SeenTable],
    effort: Effort,
    seed: int,
) -> Iterator[Ingredient]:
    """Of the pass with a filter that fares worst; nothing, if all are exact."""
    filtered = [f for f in findings if f.p.similar]
    if not filtered:
        return
    p = max(filtered, key=lambda f: f.worst).p
    scheme, chosen, _ = _attacked(schema, p, people, tables[p.id], effort, seed)
    yield from ingredients(scheme, chosen, keys=effort.keys, victims=effort.victims, seed=seed)


def _read(path: Path, schema: Schema, columns: Mapping[str, str] | None) -> Fields:
    return prepare(read_table(path), schema, columns).fields


def _victims(
    dump: Dump, known: Fields | None, seed: int
) -> tuple[Fields, Mapping[str, SeenTable], bool]:
    """The population, and the tables with positions in it as persons."""
    if dump.tables is None or dump.records is None:
        if known is None:
            raise BadInputError(
                t(
                    "Folder ini tidak memuat rekaman pemiliknya. Sebut berkasnya: --population.",
                    "This folder does not hold its owner's records. Name the file: --population.",
                )
            )
        tables = {p.id: PassScheme(dump.schema, p).encode(known, seed) for p in dump.schema.passes}
        return known, tables, True
    if known is None:
        return dump.records, dump.tables, False
    place = _places(dump.records, known, dump.schema)
    if (place >= 0).sum() < 2:
        raise BadInputError(
            t(
                "Tidak ada orang yang disandikan dalam populasi itu; tidak ada yang dapat "
                "dikenali. Periksa kolomnya: --map.",
                "None of the encoded persons is in that population; nobody can be "
                "re-identified. Check its columns: --map.",
            )
        )
    tables = {
        name: replace(table, person=np.where(table.person >= 0, place[table.person], -1))
        for name, table in dump.tables.items()
    }
    return known, tables, False


def _places(records: Fields, population: Fields, schema: Schema) -> Numbers:
    """Where in the population each record stands, by all its values; -1 where it does not."""
    names = [f.name for f in schema.fields]
    at = {
        values: i
        for i, values in enumerate(zip(*(population[n].to_pylist() for n in names), strict=True))
    }
    values = zip(*(records[n].to_pylist() for n in names), strict=True)
    return np.array([at.get(v, -1) for v in values], np.int64)


def _assess_pass(
    schema: Schema,
    p: Pass,
    people: Fields,
    table: SeenTable,
    limits: AttackLimits,
    effort: Effort,
    seed: int,
) -> PassFindings:
    """One pass, and who attacks it knowing others."""
    scheme, chosen, part = _attacked(schema, p, people, table, effort, seed)
    again = [scheme.encode(chosen, seed + i) for i in range(1, effort.victims)]
    null = assess_pass(scheme, strangers(chosen, seed), [part], keys=2, seed=seed)
    views = (View.TABLE, View.SOME, View.HALF, View.GROUPS)
    return PassFindings(
        p=p,
        persons=len(next(iter(chosen.values()))),
        rows=len(part.person),
        groups=_group_sizes(scheme, chosen),
        limits={view: limits.at(schema, p, view) for view in views},
        rates=tuple(assess_pass(scheme, chosen, [part, *again], keys=effort.keys, seed=seed)),
        null=tuple(null),
    )


def _attacked(
    schema: Schema, p: Pass, people: Fields, table: SeenTable, effort: Effort, seed: int
) -> tuple[PassScheme, Fields, SeenTable]:
    """A part of the pass's buckets, small enough for attacks that compare all with all."""
    part, persons = sample(table, effort.rows, seed)
    chosen = {name: column.take(pa.array(persons)) for name, column in people.items()}
    return PassScheme(schema, _as_full(p, len(table.person), len(part.person))), chosen, part


def _as_full(p: Pass, rows: int, part: int) -> Pass:
    """The pass with as many buckets fewer as its part has rows fewer: buckets as full as before."""
    fewer = round(math.log2(max(rows / max(part, 1), 1)))
    return p.model_copy(update={"bucket_bits": max(p.bucket_bits - fewer, 0)})


def _group_sizes(scheme: PassScheme, people: Fields) -> tuple[int, int]:
    salts = scheme.salts(people)
    sizes = np.bincount(salts[salts >= 0])
    sizes = sizes[sizes > 0]
    return (int(np.median(sizes)), int(sizes.max())) if len(sizes) else (0, 0)


def _alignment(
    schema: Schema, people: Fields, tables: Mapping[str, SeenTable], effort: Effort, seed: int
) -> Iterator[Rate]:
    """Over all passes, where the whole table is small enough to be compared."""
    if len(schema.passes) < 2:
        return
    total = len(next(iter(people.values())))
    chosen = np.sort(np.random.default_rng(seed).permutation(total)[: effort.rows])
    part = {name: column.take(pa.array(chosen)) for name, column in people.items()}
    place = np.full(total, -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    victims = [_only(tables[p.id], place) for p in schema.passes]
    schemes = [PassScheme(schema, p) for p in schema.passes]
    yield from assess_alignment(schemes, part, victims, seed)


def _only(table: SeenTable, place: Numbers) -> SeenTable:
    """The rows of chosen persons; decoys stay away, which favours the attacker."""
    rows = np.flatnonzero((table.person >= 0) & (place[table.person] >= 0))
    return SeenTable(table.seen.rows(rows), place[table.person[rows]], table.group[rows])


__all__ = ["Assessment", "PassFindings", "View", "assess"]
