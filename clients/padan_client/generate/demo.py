"""A registry and a list of candidates for one flow, with the truth about both."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from padan_client.generate import errors
from padan_client.generate.errors import Rates
from padan_client.generate.name_errors import transliterated, written_names
from padan_client.generate.tokens import Indices, Rng, Weighted, nations
from padan_client.generate.worlds import CompanyWorld, ForeignerWorld, PersonWorld, World
from padan_linkage.schema import Kind, Schema, SchemaField

#: Name of the column of row ids, in both tables.
ID_COLUMN = "id"

_NUMBERS = frozenset({Kind.NIK, Kind.KK, Kind.NIP, Kind.NPWP, Kind.PASSPORT, Kind.JKN_CARD,
                      Kind.NIB, Kind.BPJSTK_NUMBER, Kind.CODE})  # fmt: skip
_OFTEN_MISSING = frozenset({Kind.NIB, Kind.JKN_CARD, Kind.BPJSTK_NUMBER})
_COMPANY_KINDS = frozenset({Kind.COMPANY_NAME, Kind.NIB, Kind.KBLI})
#: Civil servants write their degrees.
_TITLED_REGISTRY = 0.4


class FlowShape(Protocol):
    """What the generator needs of a flow; an agreement's Flow has it."""

    @property
    def schema(self) -> Schema | None:
        """The fields to make."""
        ...

    @property
    def registry(self) -> Mapping[str, Mapping[str, str]]:
        """Status column → value → code."""
        ...

    @property
    def several(self) -> bool:
        """Whether several status columns may hold at once."""
        ...


@dataclass(frozen=True, repr=False)
class Demo:
    """Generated tables, all columns strings.

    ``registry``: ``id``, the schema's fields, the status columns of the flow. ``requests``: ``id``
    and the fields. ``truth``: ``request_row`` and ``registry_row`` (int64, rows counted from 0,
    null where the candidate is not in the registry), ``request_id`` and ``registry_id``.
    """

    registry: pa.Table
    requests: pa.Table
    truth: pa.Table

    def __repr__(self) -> str:
        return f"Demo(registry={self.registry.num_rows}, requests={self.requests.num_rows})"


def generate_demo(flow: FlowShape, population: int, candidates: int, seed: int) -> Demo:
    """Make a registry of ``population`` rows and a list of ``candidates``, half of them in it.

    The same arguments give the same tables. Candidates outside the registry are often relatives of
    people inside it. Raises ValueError if the flow has no schema or a size is not positive.
    """
    schema = flow.schema
    if schema is None or population < 1 or candidates < 1:
        raise ValueError("a schema and positive sizes are needed")
    inside = min(candidates // 2, population)
    world = _world(schema, flow, population + candidates - inside, _rng(seed, "world"))
    order = _rng(seed, "sides").permutation(world.size)
    registered = order[:population]
    strangers = order[population:]
    listed = np.r_[np.arange(inside), np.full(len(strangers), -1)]
    listed = listed[_rng(seed, "list").permutation(len(listed))]
    asked = np.where(listed >= 0, registered[listed], -1)
    asked[listed < 0] = strangers

    true = {
        f.name: world.column(f.name, f.kind, _rng(seed, f"true {f.name}")) for f in schema.fields
    }
    registry = _side(schema, world, true, registered, _registry_rates(schema), seed, "registry")
    registry |= _statuses(flow, world, registered, _rng(seed, "statuses"))
    requests = _side(schema, world, true, asked, errors.REQUEST, seed, "requests")
    return Demo(
        pa.table({ID_COLUMN: _ids("R", population), **registry}),
        pa.table({ID_COLUMN: _ids("K", candidates), **requests}),
        _truth(listed),
    )


def _world(schema: Schema, flow: FlowShape, size: int, rng: Rng) -> World:
    kinds = {f.kind for f in schema.fields}
    if kinds & _COMPANY_KINDS:
        return CompanyWorld(size, rng)
    if Kind.NATIONALITY in kinds and Kind.NIK not in kinds:
        return ForeignerWorld(size, rng)
    pensions = any(_is_pension(v) for values in flow.registry.values() for v in values)
    return PersonWorld(size, rng, pension_share=0.35 if pensions else 0.05)


def _registry_rates(schema: Schema) -> Rates:
    if any(f.kind is Kind.NIP for f in schema.fields):
        return replace(errors.REGISTRY, name_titled=_TITLED_REGISTRY)
    return errors.REGISTRY


def _side(
    schema: Schema, world: World, true: Mapping[str, list[str]], rows: Indices, rates: Rates,
    seed: int, side: str,
) -> dict[str, pa.StringArray]:  # fmt: skip
    """One side's columns: the whole world written down with errors, then this side's rows."""
    picked = pa.array(rows)
    return {
        f.name: pa.array(
            _written(f, world, true[f.name], rates, _rng(seed, f"{side} {f.name}"), side),
            pa.string(),
        ).take(picked)
        for f in schema.fields
    }


def _written(
    field: SchemaField, world: World, values: list[str], rates: Rates, rng: Rng, side: str
) -> list[str]:
    """A column as one side wrote it down."""
    kind = field.kind
    if kind in _NUMBERS:
        written = errors.written_numbers(
            values, world.partner, rng, rates, swappable=kind is Kind.NIK
        )
        return errors.often_missing(written, rng, rates) if kind in _OFTEN_MISSING else written
    if kind is Kind.DATE:
        days = np.array(values, dtype="datetime64[D]")
        return errors.written_dates(days, rng, rates, iso=side == "registry")
    if kind is Kind.PERSON_NAME:
        return _names(world, values, rates, rng)
    if kind is Kind.COMPANY_NAME:
        return errors.written_companies(world.name_tokens, rng, rates)
    return _WRITERS.get(kind, errors.written_flags)(values, rng, rates)


_WRITERS: dict[Kind, Callable[[list[str], Rng, Rates], list[str]]] = {
    Kind.PLACE: errors.written_places,
    Kind.ADDRESS: errors.written_addresses,
    Kind.PHONE: errors.written_phones,
    Kind.EMAIL: errors.written_emails,
}


def _names(world: World, values: list[str], rates: Rates, rng: Rng) -> list[str]:
    tokens = [value.split(" ") for value in values]
    if isinstance(world, ForeignerWorld):
        spellings = {
            forms[0]: forms
            for nation in nations()
            for forms in (*nation.men, *nation.women, *nation.surnames)
        }
        changed = 2 * rates.name_changed
        return transliterated(tokens, spellings, rng, changed=changed)
    female = world.female.tolist() if isinstance(world, PersonWorld) else None
    return written_names(tokens, female, rng, changed=rates.name_changed, titled=rates.name_titled)


def _statuses(flow: FlowShape, world: World, rows: Indices, rng: Rng) -> dict[str, pa.StringArray]:
    """The status columns of the flow's registry mapping; every row has at least one status."""
    retired = world.retired[rows]
    columns: dict[str, list[str]] = {}
    for column, mapping in flow.registry.items():
        working = [v for v in mapping if not _is_pension(v)] or list(mapping)
        pensions = [v for v in mapping if _is_pension(v)] or working
        drawn = _status_draw(working).draw(rng, len(rows))
        drawn_retired = _status_draw(pensions).draw(rng, len(rows))
        columns[column] = [
            b if old else a
            for a, b, old in zip(drawn, drawn_retired, retired.tolist(), strict=True)
        ]
    if flow.several and len(columns) > 1:
        # Each measure reaches some, and nobody in the registry none.
        names = list(columns)
        held = rng.random((len(rows), len(names))) < 0.35
        held[np.arange(len(rows)), rng.integers(0, len(names), len(rows))] = True
        for i, name in enumerate(names):
            columns[name] = [
                value if has else ""
                for value, has in zip(columns[name], held[:, i].tolist(), strict=True)
            ]
    return {name: pa.array(values, pa.string()) for name, values in columns.items()}


def _status_draw(values: list[str]) -> Weighted:
    """Later statuses are rarer, negative ones rarer still."""
    rare = ("TIDAK", "NON", "HABIS")
    weights = [
        (0.3 if v.upper().startswith(rare) else 1.0) / (i + 1) ** 0.5 for i, v in enumerate(values)
    ]
    return Weighted(values, weights)


def _is_pension(status: str) -> bool:
    return "PENSIUN" in status.upper()


def _ids(letter: str, n: int) -> pa.StringArray:
    return pa.array([f"{letter}{i:08d}" for i in range(1, n + 1)], pa.string())


def _truth(listed: Indices) -> pa.Table:
    found = listed >= 0
    registry_ids = [f"R{row + 1:08d}" if row >= 0 else None for row in listed.tolist()]
    return pa.table(
        {
            "request_row": pa.array(np.arange(len(listed))),
            "registry_row": pa.array(listed, mask=~found),
            "request_id": _ids("K", len(listed)),
            "registry_id": pa.array(registry_ids, pa.string()),
        }
    )


def _rng(seed: int, label: str) -> Rng:
    """A stream of its own for every column, so that one more column changes no other."""
    return np.random.default_rng([seed, zlib.crc32(label.encode())])
