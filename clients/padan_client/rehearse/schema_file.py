"""Schema files: a linkage schema as TOML, and which columns of the two files its fields are.

[[fields]]                       # as in an agreement's [flow.schema]
name = "nama"
kind = "person_name"
column = "given_name"            # column of both files; by default the field's name;
                                 # several are joined by blanks: ["given_name", "surname"]
column_b = "first_name"          # column of the second file, where it differs; "" = has none

[[passes]]
id = "lahir"
exact = ["tanggal_lahir"]
similar = [{ fields = ["nama"], group = "nama" }]

[match]                          # optional, as in an agreement's flow
min_precision = 0.999            # without it, the answers with the greatest expected F1 are kept
one_to_one = true                # without it, so where neither file names anybody twice
max_false_match_rate = 5e-4      # with it, rows are answered by an edition, as in a run (spec 36)

Above the first table may stand ``presence`` and ``decoy_share`` as in a schema, and ``rows``, the
size of the registry that it is made for; a field may have ``values``, its measured effective number
of different values. Both are for ``padan schema lint``.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from padan_client.base.errors import BadInputError
from padan_client.base.language import t
from padan_linkage.advice import Suggestion
from padan_linkage.agreement import Flow, TomlTextError, read_bounded, read_toml
from padan_linkage.answering.policy import MatchPolicy
from padan_linkage.schema import Schema

#: Columns that together make one field.
Columns: TypeAlias = tuple[str, ...]

#: A rehearsal asks for less certainty than an agreement does, unless its file says otherwise.
DEFAULT_PRECISION = 0.99


@dataclass(frozen=True)
class SchemaFile:
    """``columns_a``, ``columns_b``: schema field to columns of the list and of the registry.

    Several columns are joined by blanks; none means that this side does not have the field.
    ``rows`` and ``values``: what the linter should know of the registry, if the file says so.
    ``demanded``: the user named the precision in ``policy``; it is not merely the usual one.
    ``one_to_one``: what the user says of that, None where the files decide.
    ``as_a_run``: the user named the rate of wrong answers that a run would tolerate.
    """

    schema: Schema
    columns_a: Mapping[str, Columns]
    columns_b: Mapping[str, Columns]
    policy: MatchPolicy
    rows: int | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    demanded: bool = False
    one_to_one: bool | None = None
    as_a_run: bool = False

    def policy_for(self, *, single: bool) -> MatchPolicy:
        """The policy for two files, ``single`` if neither names anybody twice."""
        said = single if self.one_to_one is None else self.one_to_one
        return self.policy.model_copy(update={"one_to_one": said})

    @classmethod
    def of_flow(cls, flow: Flow, schema: Schema, columns: Mapping[str, str] | None = None) -> Self:
        """What an agreement says of its flow; ``columns``: of the list, where called otherwise."""
        named = {name: _several(column) for name, column in (columns or {}).items()}
        one_to_one = flow.match.one_to_one
        return cls(
            schema, named, {}, flow.match, demanded=True, one_to_one=one_to_one, as_a_run=True
        )

    @classmethod
    def suggested(cls, suggestion: Suggestion) -> Self:
        """What the advisor proposes, with what a rehearsal under its profile asks for."""
        return cls(
            schema=suggestion.schema,
            columns_a={f.name: f.columns_a for f in suggestion.fields},
            columns_b={f.name: f.columns_b for f in suggestion.fields},
            policy=suggestion.profile.policy,
            rows=suggestion.rows,
            values=suggestion.measured,
        )

    def demanding(self, min_precision: float) -> SchemaFile:
        """The same file with another demand on precision."""
        policy = self.policy.model_copy(update={"min_precision": min_precision})
        return replace(self, policy=policy, demanded=True)


class _Columns(BaseModel):
    """What a field of a schema file has beyond the schema's own."""

    model_config = ConfigDict(extra="ignore")
    name: str
    column: str | Columns | None = None
    column_b: str | Columns | None = None
    values: Annotated[float, Field(gt=0)] | None = None


#: What a field has in a schema file and not in a schema.
_FILE_KEYS = frozenset({"column", "column_b", "values"})
#: What a demand is named by in [match].
_DEMANDS = frozenset({"min_precision", "max_false_match_rate"})
_ROWS: TypeAdapter[int | None] = TypeAdapter(Annotated[int, Field(ge=1)] | None)


def load_schema_file(path: Path) -> SchemaFile:
    """Read a schema file. Raises BadInputError."""
    try:
        document = read_toml(_content(path).removeprefix(codecs.BOM_UTF8))
    except TomlTextError as e:
        raise BadInputError(
            t(f"{path.name}, {e.where}: {e.indonesian}", f"{path.name}, {e.where}: {e}")
        ) from e
    try:
        return _parse(document)
    except ValidationError as e:
        places = "; ".join(
            f"{'.'.join(str(x) for x in error['loc']) or 'schema'}: {error['msg']}"
            for error in e.errors(include_input=False, include_url=False)
        )
        raise BadInputError(
            t(
                f"Skema {path.name} tidak sah: {places}. Perbaiki berkas skema.",
                f"The schema {path.name} is invalid: {places}. Correct the schema file.",
            )
        ) from e


def _content(path: Path) -> bytes:
    if path.is_file():
        return read_bounded(path)
    raise BadInputError(
        t(
            f"Berkas skema {path.name} tidak ada. Tanpa --schema, skemanya disarankan; "
            "`padan schema suggest` menuliskannya.",
            f"There is no schema file {path.name}. Without --schema one is suggested; "
            "`padan schema suggest` writes it down.",
        )
    )


def _parse(document: dict[str, Any]) -> SchemaFile:
    """Split the columns and the policy from the schema proper."""
    match = document.pop("match", {})
    policy = {"min_precision": DEFAULT_PRECISION} | match
    rows = _ROWS.validate_python(document.pop("rows", None))
    given = document.get("fields")
    fields = given if isinstance(given, list) else []
    columns = [_Columns.model_validate(f) for f in fields]
    if fields:
        document["fields"] = [{k: v for k, v in f.items() if k not in _FILE_KEYS} for f in fields]
    a = {c.name: _several(c.name if c.column is None else c.column) for c in columns}
    b = {c.name: a[c.name] if c.column_b is None else _several(c.column_b) for c in columns}
    return SchemaFile(
        schema=Schema.model_validate(document),
        columns_a=a,
        columns_b=b,
        policy=MatchPolicy.model_validate(policy),
        rows=rows,
        values={c.name: c.values for c in columns if c.values is not None},
        demanded=not match.keys().isdisjoint(_DEMANDS),
        one_to_one=match.get("one_to_one"),
        as_a_run="max_false_match_rate" in match,
    )


def _several(column: str | Columns) -> Columns:
    """One column, several, or none at all for ""."""
    return tuple(c for c in ((column,) if isinstance(column, str) else column) if c)
