"""A registry and a list of candidates for one flow, with the truth about both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import pyarrow as pa

from padan_lab.generate.columns.common import Writer
from padan_lab.generate.columns.company import COMPANY
from padan_lab.generate.columns.foreign import FOREIGN
from padan_lab.generate.columns.person import PERSON
from padan_lab.generate.facts import is_pension, status_columns
from padan_lab.generate.plans import FilePlan, Making
from padan_lab.generate.population.companies import Companies
from padan_lab.generate.population.foreigners import Foreigners
from padan_lab.generate.population.people import People
from padan_lab.generate.rates import (
    LIST,
    LIST_STYLE,
    REGISTRY,
    REGISTRY_STYLE,
    Level,
)
from padan_lab.generate.sides import ID_COLUMN, AgencyFile, World, row_ids
from padan_linkage.schema import Kind, Schema, SchemaField

_BATCH = 1 << 16
#: Whoever publishes a registry takes repeated rows out first; the profiles' files keep them.
_UNREPEATED = replace(REGISTRY, duplicate=0)
_COMPANY_KINDS = frozenset({Kind.COMPANY_NAME, Kind.NIB, Kind.KBLI})
#: The column that each kind of field is written as.
_CONTENT = {
    Kind.NIK: "nik", Kind.KK: "kk", Kind.NIP: "nip", Kind.NPWP: "npwp", Kind.PASSPORT: "paspor",
    Kind.JKN_CARD: "kartu_jkn", Kind.BPJSTK_NUMBER: "nomor_bpjstk", Kind.NIB: "nib",
    Kind.KBLI: "kbli", Kind.PERSON_NAME: "nama", Kind.COMPANY_NAME: "nama_usaha",
    Kind.DATE: "tanggal_lahir", Kind.PLACE: "tempat_lahir", Kind.ADDRESS: "alamat",
    Kind.PHONE: "telepon", Kind.EMAIL: "email", Kind.SEX: "jenis_kelamin",
    Kind.NATIONALITY: "kewarganegaraan", Kind.CODE: "kode", Kind.TEXT: "teks",
}  # fmt: skip


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
    null where the candidate is not in the registry), ``request_id`` and ``registry_id``; where two
    registry rows are about the candidate, the first. ``errors``: row, side, column, error.
    """

    registry: pa.Table
    requests: pa.Table
    truth: pa.Table
    errors: pa.Table = field(default_factory=lambda: pa.table({}))

    def __repr__(self) -> str:
        return f"Demo(registry={self.registry.num_rows}, requests={self.requests.num_rows})"


def generate_demo(
    flow: FlowShape, population: int, candidates: int, seed: int, level: Level = Level.REAL
) -> Demo:
    """Make a registry of ``population`` rows and a list of ``candidates``, half of them in it.

    The same arguments give the same tables. Candidates outside the registry are often relatives of
    people inside it. Raises ValueError if the flow has no schema, a size is not positive or no
    population has such fields.
    """
    making = flow_making(flow, population, candidates, seed, level)
    registry, requests = list(making.registry(_BATCH)), list(making.list(_BATCH))
    return Demo(
        pa.concat_tables(b.table for b in registry).combine_chunks(),
        pa.concat_tables(b.table for b in requests).combine_chunks(),
        _truth(making),
        pa.concat_tables(b.errors for b in (*registry, *requests)),
    )


@dataclass(frozen=True)
class _NoFlow:
    """A schema that no flow has."""

    schema: Schema
    registry: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    several: bool = False


def faultless(schema: Schema, rows: int, seed: int) -> pa.Table:
    """``id`` and the schema's fields of ``rows`` people or companies, without errors or titles."""
    making = flow_making(_NoFlow(schema), rows, 1, seed, Level.CLEAN)
    return pa.concat_tables(b.table for b in making.registry(_BATCH)).combine_chunks()


def flow_making(
    flow: FlowShape, population: int, candidates: int, seed: int, level: Level = Level.REAL
) -> Making:
    """The same as :func:`generate_demo` in batches, for files larger than memory."""
    if population < 1 or candidates < 1:
        raise ValueError("positive sizes are needed")
    inside = min(candidates // 2, population)
    return Making(flow_plan(flow), population, candidates, inside, seed=seed, level=level)


def flow_plan(flow: FlowShape) -> FilePlan:
    """The plan of a flow's two files. Raises ValueError as :func:`generate_demo`."""
    schema = flow.schema
    if schema is None:
        raise ValueError("a schema is needed")
    kinds = {field.kind for field in schema.fields}
    writers = _writers(kinds)
    fields = {field.name: _writer(field, writers) for field in schema.fields}
    # Civil servants write their degrees.
    style = replace(REGISTRY_STYLE, titled=0.8) if Kind.NIP in kinds else REGISTRY_STYLE
    statuses = status_columns(flow.registry, several=flow.several)
    pensions = any(is_pension(value) for values in flow.registry.values() for value in values)

    def world(size: int, seed: int) -> World:
        if writers is COMPANY:
            return Companies(size, seed)
        if writers is FOREIGN:
            return Foreigners(size, seed)
        # Registers of homes hold whole families, those of workers only grown-ups.
        families = Kind.KK in kinds or (Kind.ADDRESS in kinds and Kind.PHONE not in kinds)
        return People(size, seed, families=families, retired=0.35 if pensions else 0.05)

    return FilePlan(
        world,
        AgencyFile("registry", "R", fields | statuses, _UNREPEATED, style),
        AgencyFile("list", "K", fields, LIST, LIST_STYLE),
    )


def _writers(kinds: set[Kind]) -> Mapping[str, Writer]:
    if kinds & _COMPANY_KINDS:
        return COMPANY
    return FOREIGN if Kind.NATIONALITY in kinds and Kind.NIK not in kinds else PERSON


def _writer(field: SchemaField, writers: Mapping[str, Writer]) -> Writer:
    content = _CONTENT[field.kind]
    if field.kind is Kind.DATE and not _is_birth(field.name):
        content = "tanggal_lain"
    for parent in ("ibu", "ayah"):
        if field.kind is Kind.PERSON_NAME and parent in field.name:
            content = f"nama_{parent}"
    if content not in writers:
        raise ValueError(f"no {field.kind} in this population")
    return writers[content]


def _is_birth(name: str) -> bool:
    return "lahir" in name or name in {"dob", "birth_date", "date_of_birth", "tanggal"}


def _truth(making: Making) -> pa.Table:
    pairs = making.seating.pairs
    row_of = np.full(making.listed, -1)
    # The first registry row of each candidate comes last, and stays.
    row_of[pairs[::-1, 1]] = pairs[::-1, 0]
    missing = row_of < 0
    plan = making.plan
    ids = row_ids(plan.registry.letter, np.maximum(row_of, 0))
    return pa.table(
        {
            "request_row": pa.array(np.arange(making.listed)),
            "registry_row": pa.array(row_of, mask=missing),
            "request_id": row_ids(plan.list.letter, np.arange(making.listed)),
            "registry_id": pa.array(ids.to_pylist(), pa.string(), mask=missing),
        }
    )


__all__ = [
    "ID_COLUMN",
    "Demo",
    "FlowShape",
    "faultless",
    "flow_making",
    "flow_plan",
    "generate_demo",
]
