"""Which columns are looked at, as what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import listed, t
from padan_client.records import Tell, untold
from padan_client.records.columns import match_columns
from padan_linkage.advice.columns import SampledColumn, folded
from padan_linkage.advice.recognise import recognise
from padan_linkage.advice.vocabulary import KINDS, Meaning, promised
from padan_linkage.schema import Kind, Schema


@dataclass(frozen=True)
class CheckedColumn:
    """A field that the linter looks at; ``column`` is None where the file has none for it."""

    field: str
    kind: Kind
    column: str | None
    birth: bool = False


def fields_of_schema(
    schema: Schema, head: pa.Table, columns: Mapping[str, str] | None, tell: Tell = untold
) -> list[CheckedColumn]:
    """The schema's fields and their columns, as a confirmation finds them.

    A field mapped to "" is one that this file does not have; ``tell`` gets what was taken for what.
    Raises BadInputError for a field or a column that is not there, and where two columns fit.
    """
    matched = match_columns(head.column_names, schema, columns)
    matched.tell(tell)
    return [
        CheckedColumn(
            field.name,
            field.kind,
            matched.by_field.get(field.name),
            field.kind is Kind.DATE and any(w in field.name for w in ("lahir", "birth")),
        )
        for field in schema.fields
    ]


def fields_of_file(head: pa.Table, kinds: Mapping[str, str]) -> list[CheckedColumn]:
    """Every column that is recognised by its name and contents, or told: column to kind."""
    _require(sorted(set(kinds) - set(head.column_names)), head.column_names)
    _require([k for k in kinds.values() if k not in set(Kind)], [k.value for k in Kind])
    watched = []
    for name in head.column_names:
        role, kind = _look(head, name)
        kind = Kind(kinds[name]) if name in kinds else kind
        if kind is not None:
            watched.append(CheckedColumn(name, kind, name, role is Meaning.BIRTH_DATE))
    return watched


def _look(head: pa.Table, name: str) -> tuple[Meaning, Kind | None]:
    """What a column is: by its name, whatever it holds; by its contents if the name says nothing.

    A column called NIK in which no NIK is left is the very one to look at.
    """
    role = promised(folded(name))
    if role in KINDS:
        return role, KINDS[role]
    found = recognise(SampledColumn.of(head, name))
    return found.role, found.kind


def _require(unknown: list[str], known: list[str]) -> None:
    if unknown:
        raise BadInputError(
            t(
                f"Tidak dikenal: {listed(unknown)}. Yang ada: {listed(known)}.",
                f"Not known: {listed(unknown)}. There are: {listed(known)}.",
            )
        )
