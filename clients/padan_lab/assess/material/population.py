"""Populations for the attacks: generated people, parts of large registries, groups of one size.

The groups of a million records are made without the other million: people who share the parts of
the exact fields that names decide are taken from a large pool, and the parts that dates decide are
set alike.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from padan_lab.assess.material.schemes import Fields
from padan_lab.generate import faultless
from padan_linkage.normalise import exact_values, normalise
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

_POOL = 60
_GIVEN = frozenset({"given_name", "first_name", "nama_depan"})
_SURNAME = frozenset({"surname", "last_name", "nama_belakang", "family_name"})


def people(schema: Schema, count: int, seed: int) -> dict[str, pa.StringArray]:
    """``count`` generated people or companies, faultless and normalised."""
    table = faultless(schema, count, seed)
    return {f.name: normalise(f.kind, _column(f, table[f.name])).values for f in schema.fields}


def _column(field: SchemaField, values: pa.ChunkedArray) -> pa.StringArray:
    """A field's values; names that stand in two columns are cut at the last token."""
    if field.kind is not Kind.PERSON_NAME or field.name not in _GIVEN | _SURNAME:
        return values.combine_chunks()
    names = [name.split(" ") for name in values.to_pylist()]
    if field.name in _GIVEN:
        return pa.array([" ".join(tokens[:-1] or tokens) for tokens in names], pa.string())
    return pa.array([tokens[-1] if len(tokens) > 1 else "" for tokens in names], pa.string())


def grouped_people(
    schema: Schema, p: Pass, size: int, count: int, seed: int
) -> dict[str, pa.StringArray]:
    """About ``count`` people in salt groups of pass ``p`` of exactly ``size`` each.

    Raises ValueError where the pool has no group of that size: then such groups are not real.
    """
    dated = [k for k in p.exact if schema.kind(k.partition(":")[0]) is Kind.DATE]
    keys = [k for k in p.exact if k not in dated]
    pool = people(schema, max(_POOL * count, 20_000) if keys else max(count, 2 * size), seed)
    rng = np.random.default_rng(seed + 1)
    members = _members(schema, p, pool, keys, size, max(count // size, 2), rng)
    taken = pa.array(members.ravel())
    chosen = {name: column.take(taken) for name, column in pool.items()}
    return sharing(schema, chosen, dated, size)


def sharing(
    schema: Schema, chosen: dict[str, pa.StringArray], keys: list[str], size: int
) -> dict[str, pa.StringArray]:
    """The people with every ``size`` behind each other alike in ``keys``, numbers following."""
    shared = dict(chosen)
    for name in dict.fromkeys(k.partition(":")[0] for k in keys):
        values = shared[name].to_pylist()
        if schema.kind(name) is Kind.DATE:
            parts = [k.partition(":")[2] for k in keys if k.partition(":")[0] == name]
            alike = _alike(values, size, parts)
        else:
            alike = [values[i - i % size] for i in range(len(values))]
        shared[name] = pa.array(alike, pa.string())
    return _consistent(schema, shared)


def _members(
    schema: Schema,
    p: Pass,
    pool: Fields,
    keys: list[str],
    size: int,
    groups: int,
    rng: np.random.Generator,
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Positions in the pool, int64[groups, size], of people who share the exact ``keys``."""
    total = len(next(iter(pool.values())))
    if not keys:
        return rng.permutation(total)[: groups * size].reshape(groups, size)
    shape = p.model_copy(update={"exact": tuple(keys)})
    columns = [c.to_pylist() for c in exact_values(schema, shape, dict(pool))]
    sharing: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for person, values in enumerate(zip(*columns, strict=True)):
        if "" not in values:
            sharing[values].append(person)
    made = []
    for alike in sharing.values():
        order = rng.permutation(alike)
        made += [order[i : i + size] for i in range(0, len(order) - size + 1, size)]
    if len(made) < 2:
        raise ValueError(f"no groups of {size} in pass {p.id}")
    return np.stack([made[i] for i in rng.permutation(len(made))[:groups]])


def _alike(dates: list[str], size: int, parts: list[str]) -> list[str]:
    """Dates of which every ``size`` behind each other agree in ``parts`` ("" is the whole)."""
    result = []
    for person, own in enumerate(dates):
        year, month, day = own.split("-")
        lead = dates[person - person % size].split("-")
        if not {"", "year", "year_month"}.isdisjoint(parts):
            year = lead[0]
        if not {"", "month", "year_month", "unordered"}.isdisjoint(parts):
            month = lead[1]
        if not {"", "day", "unordered"}.isdisjoint(parts):
            day = lead[2]
        result.append(f"{year}-{month}-{min(int(day), 28):02d}")
    return result


def _consistent(schema: Schema, chosen: dict[str, pa.StringArray]) -> dict[str, pa.StringArray]:
    """NIKs and NIPs with the birth dates that the people now have."""
    births = [f.name for f in schema.fields if f.kind is Kind.DATE and "lahir" in f.name]
    births += [f.name for f in schema.fields if f.name in {"birth_date", "dob"}]
    if not births:
        return chosen
    born = chosen[births[0]].to_pylist()
    for f in schema.fields:
        if f.kind in {Kind.NIK, Kind.NIP}:
            old = chosen[f.name].to_pylist()
            make = _nik if f.kind is Kind.NIK else _nip
            chosen[f.name] = pa.array(
                [make(n, d) if n and d else n for n, d in zip(old, born, strict=True)], pa.string()
            )
    return {name: pc.fill_null(column, "") for name, column in chosen.items()}


def _nik(number: str, born: str) -> str:
    year, month, day = born.split("-")
    woman = 40 if int(number[6:8]) > 40 else 0
    return f"{number[:6]}{int(day) + woman:02d}{month}{year[2:]}{number[12:]}"


def _nip(number: str, born: str) -> str:
    return born.replace("-", "") + number[8:]
