"""Advice on files: read, suggest, and write the schema down with its reasons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from padan_client.base.errors import BadInputError
from padan_client.base.language import listed, t
from padan_client.base.numbers import decimal, number
from padan_client.records import read_table
from padan_client.rehearse.schema_file import SchemaFile
from padan_linkage.advice import (
    NoAdviceError,
    Remark,
    Suggestion,
    Wishes,
    suggest,
)
from padan_linkage.schema import Pass, Segment


def advise(a: Path, b: Path | None, wishes: Wishes, id_column: str | None = None) -> Suggestion:
    """The advisor's schema for one or two files; ``id_column`` is not looked at.

    Raises BadInputError.
    """
    table_a = without_column(read_table(a), id_column)
    table_b = None if b is None else without_column(read_table(b), id_column)
    with advising(table_a, table_b):
        return suggest(table_a, table_b, wishes)


@contextmanager
def advising(a: pa.Table, b: pa.Table | None) -> Iterator[None]:
    """What an advisor refuses is the user's to correct. Raises BadInputError."""
    try:
        yield
    except NoAdviceError as e:
        raise BadInputError(say(e.said)) from e
    except KeyError as e:
        names = [*a.column_names, *(b.column_names if b else ())]
        present = listed(list(dict.fromkeys(names)))
        raise BadInputError(
            t(
                f"Kolom {e.args[0]} tidak ada di berkas. Kolom yang ada: {present}.",
                f"The files have no column {e.args[0]}. Their columns: {present}.",
            )
        ) from e


def without_column(table: pa.Table, column: str | None) -> pa.Table:
    """The table without a column that is not looked at."""
    return table.drop_columns([column]) if column in table.column_names else table


def say(said: Remark) -> str:
    """The sentence in the user's language."""
    return t(said.id_text, said.en_text)


def to_toml(suggestion: Suggestion) -> str:
    """The suggestion as a schema file, every choice with its reason as a comment."""
    file = SchemaFile.suggested(suggestion)
    return "\n".join(
        [*_head(suggestion), *_fields(suggestion), *_passes(suggestion), *_match(file)]
    )


def _head(s: Suggestion) -> Iterator[str]:
    yield t(
        f"# Saran skema, profil {s.profile.name}, ukuran {s.size}, untuk {number(s.rows)} baris: "
        f"{len(s.passes)} jalur, {number(s.record_bytes)} byte per data.",
        f"# Suggested schema, profile {s.profile.name}, size {s.size}, for {number(s.rows)} rows: "
        f"{len(s.passes)} passes, {number(s.record_bytes)} bytes a record.",
    )
    yield f"# {say(s.signing())}"
    if s.left_out:
        yield t("# Kolom yang tidak dipakai:", "# Columns not used:")
    for left in s.left_out:
        yield f"#   {left.side}: {say(left.said)}"
    yield ""
    yield f"rows = {s.rows}"
    yield f"presence = {str(s.schema.presence).lower()}"
    yield f"decoy_share = {s.schema.decoy_share}"


def _fields(s: Suggestion) -> Iterator[str]:
    for field in s.fields:
        yield ""
        yield from (f"# {line}" for line in dict.fromkeys(say(x) for x in field.said))
        yield "[[fields]]"
        yield f"name = {quoted(field.name)}"
        yield f"kind = {quoted(field.kind)}"
        if field.columns_a != (field.name,):
            yield f"column = {_columns(field.columns_a)}"
        if field.columns_b != field.columns_a:
            yield f"column_b = {_columns(field.columns_b)}"
        if field.name in s.measured:
            yield f"values = {s.measured[field.name]}"


def _passes(s: Suggestion) -> Iterator[str]:
    for choice in s.passes:
        yield ""
        shared = decimal(choice.group, 1)
        yield f"# {say(choice.said)}"
        yield t(f"# {shared} baris berbagi nilainya.", f"# {shared} rows share its values.")
        yield from _pass(choice.chosen)


def _pass(p: Pass) -> Iterator[str]:
    yield "[[passes]]"
    yield f"id = {quoted(p.id)}"
    yield f"exact = [{', '.join(map(quoted, p.exact))}]"
    if p.without:
        yield f"without = [{', '.join(map(quoted, p.without))}]"
    if p.similar:
        yield "similar = ["
        yield from (f"  {_segment(s)}," for s in p.similar)
        yield "]"
    yield f"bucket_bits = {p.bucket_bits}"


def _segment(s: Segment) -> str:
    group = f", group = {quoted(s.group)}" if s.group else ""
    fields = ", ".join(map(quoted, s.fields))
    named = ", ".join(map(quoted, s.beside))
    beside = f", beside = [{named}]" if s.beside else ""
    return (
        f"{{ fields = [{fields}]{beside}{group}, bits = {s.bits}, weight = {s.weight}, "
        f"diffusion = {s.diffusion} }}"
    )


def _match(file: SchemaFile) -> Iterator[str]:
    yield ""
    yield "[match]"
    for name, value in file.policy.model_dump(mode="json", exclude_none=True).items():
        stated = {
            "min_precision": file.demanded,
            "max_false_match_rate": file.as_a_run,
            "one_to_one": file.one_to_one is not None,
        }
        yield f"{'' if stated.get(name, True) else '# '}{name} = {json.dumps(value)}"
    yield ""


def _columns(names: tuple[str, ...]) -> str:
    if len(names) == 1:
        return quoted(names[0])
    return f"[{', '.join(map(quoted, names))}]"


def quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
