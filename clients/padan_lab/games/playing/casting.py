"""Who is a target and who stands in for it: pairs of people whom what a party may know keeps alike.

Either both are registered, with the same fields as the registry, so that both match wherever they
take part; or neither is. Of two strangers one lacks a field; the registered lack the same ones, and
have different codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from padan_client.records.lists import RequestList, prepare_list
from padan_lab.generate import ID_COLUMN, generate_demo
from padan_linkage.agreement import Flow
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Schema

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, repr=False)
class Casting:
    """A registry, people to ask about, and what an attacker knows of each from its values alone.

    ``rows`` ``int64[n]``: each one's row of the registry, -1 without; ``codes``: each one's code,
    "" without; ``takes`` ``bool[n, passes]``: who takes part in which pass; ``pairs``
    ``int64[k, 2]``: a target and who stands in for it, as many registered as not; ``rest``:
    everybody else.
    """

    registry: pa.Table
    people: pa.Table
    rows: Numbers
    codes: tuple[str, ...]
    takes: Flags
    pairs: Numbers
    rest: Numbers


def cast(flow: Flow, registered: int, asked: int, seed: int) -> Casting:
    """Generated people; half of those asked are registered."""
    demo = generate_demo(flow, registered, asked, seed)
    assert flow.schema is not None
    listed, there = (_normalised(flow.schema, t) for t in (demo.requests, demo.registry))
    people = demo.requests.take(pa.array(listed.usable))
    row_of = demo.truth["registry_row"].take(pa.array(listed.usable)).to_pylist()
    rows = np.array([-1 if row is None else row for row in row_of])
    given = {name: column.to_pylist() for name, column in listed.records.items()}
    same = _written_alike(given, there, rows)
    lacking = np.array([[not value for value in column] for column in given.values()]).T
    rng = np.random.default_rng(seed)
    strangers = _strangers(np.flatnonzero(rows < 0), lacking, rng)
    (column, of_status), *_ = flow.registry.items()
    statuses = demo.registry[column].to_pylist()
    codes = np.array([of_status[statuses[row]] if row >= 0 else "" for row in rows.tolist()])
    alike = _alike(np.flatnonzero(same), lacking, codes, rng)
    each = min(len(strangers), len(alike))
    chosen = np.array([*strangers[:each], *alike[:each]])
    rest = np.setdiff1d(np.arange(people.num_rows), chosen)
    takes = _takes(flow.schema, listed.records)
    return Casting(demo.registry, people, rows, tuple(codes.tolist()), takes, chosen, rest)


def _written_alike(given: dict[str, list[str]], there: RequestList, rows: Numbers) -> Flags:
    """Who stands in the registry with the very same fields, ``bool[n]``."""
    place = {row: at for at, row in enumerate(there.usable.tolist())}
    known = {name: column.to_pylist() for name, column in there.records.items()}
    found = [place.get(row, -1) for row in rows.tolist()]
    return np.array(
        [
            at >= 0 and all(known[name][at] == given[name][row] for name in given)
            for row, at in enumerate(found)
        ]
    )


def _strangers(who: Numbers, lacking: Flags, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Pairs of whom one lacks a field and the other none."""
    some = rng.permutation(who[lacking[who].any(axis=1)])
    whole = rng.permutation(who[~lacking[who].any(axis=1)])
    return [(a, b) if rng.random() < 0.5 else (b, a) for a, b in zip(some, whole, strict=False)]


def _alike(
    who: Numbers, lacking: Flags, codes: NDArray[np.str_], rng: np.random.Generator
) -> list[tuple[int, int]]:
    """Pairs who lack the same fields and have different codes."""
    order = rng.permutation(who)
    kinds = lacking[order] @ (1 << np.arange(lacking.shape[1]))
    pairs: list[tuple[int, int]] = []
    for kind in np.unique(kinds):
        those = order[kinds == kind]
        those = those[np.argsort(codes[those], kind="stable")]
        half = len(those) // 2
        across = zip(those[:half].tolist(), those[half:].tolist(), strict=False)
        pairs += [(a, b) if rng.random() < 0.5 else (b, a) for a, b in across]
    return [pair for pair in pairs if codes[pair[0]] != codes[pair[1]]]


def _takes(schema: Schema, records: dict[str, pa.StringArray]) -> Flags:
    """Who takes part in each pass, ``bool[n, passes]``."""
    taking = []
    for p in schema.passes:
        values = exact_values(schema, p, records)
        there = np.all([np.array(column.to_pylist()) != "" for column in values], axis=0)
        for name in p.without:
            there &= np.array(records[name].to_pylist()) == ""
        taking.append(there)
    return np.array(taking).T


def _normalised(schema: Schema, people: pa.Table) -> RequestList:
    fields = people.select([ID_COLUMN, *(f.name for f in schema.fields)])
    return prepare_list(schema, fields, columns=None, id_column=ID_COLUMN)
