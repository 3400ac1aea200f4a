"""Which column of a file is which field: as told, by its own name, or by what it is called.

One recogniser for every command. What a column holds is never asked here: a column that is called
something else has to be named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from padan_client.base.errors import BadInputError
from padan_client.base.language import listed, t
from padan_client.records.files import Tell
from padan_linkage.advice.columns import folded
from padan_linkage.advice.naming import thing
from padan_linkage.schema import Schema


@dataclass(frozen=True)
class Columns:
    """Columns as they were found.

    ``by_field``: the column of every field that has one; ``absent``: fields that are compared or
    confirmed, for which there is none and nobody said so; ``recognised``: fields whose column is
    called by another name.
    """

    by_field: dict[str, str]
    absent: tuple[str, ...]
    recognised: tuple[str, ...]

    def tell(self, tell: Tell) -> None:
        """Say what was taken for what, where it was not told or named alike."""
        if self.recognised:
            taken = ", ".join(f"{self.by_field[field]} → {field}" for field in self.recognised)
            tell(
                t(
                    f"Kolom dikenali: {taken}. Bila keliru: --map ruas=KOLOM.",
                    f"Columns recognised: {taken}. If wrong: --map field=COLUMN.",
                )
            )


def match_columns(
    names: Sequence[str], schema: Schema, given: Mapping[str, str] | None = None
) -> Columns:
    """The columns of a schema's fields among ``names``.

    ``given`` maps fields to columns, "" for a field that this side does not have. Raises
    BadInputError for a field or column that is not there, and where two columns fit one field.
    """
    given = dict(given or {})
    _require_known(given, [f.name for f in schema.fields])
    if missing := sorted({c for c in given.values() if c and c not in names}):
        raise no_column(missing, names)
    by_field = {field: column for field, column in given.items() if column}
    free = [f.name for f in schema.fields if f.name not in given]
    by_field |= _own_names(free, names)
    fitting = _fitting([f for f in free if f not in by_field], names, set(by_field.values()))
    by_field |= {field: columns[0] for field, columns in fitting.items()}
    # A field for direct mode's keys alone is nobody's business in unit mode.
    wanted = {*schema.compared, *(name for p in schema.passes for name in p.confirm)}
    return Columns(
        {f.name: by_field[f.name] for f in schema.fields if f.name in by_field},
        tuple(f for f in free if f in wanted and f not in by_field),
        tuple(fitting),
    )


def _own_names(fields: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """Columns that are called as their field is; ``Tanggal Lahir`` is ``tanggal_lahir``."""
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(folded(name), []).append(name)
    chosen = {}
    for field in fields:
        found = [field] if field in names else alike.get(folded(field), [])
        if len(found) > 1:
            raise _several(field, found)
        if found:
            chosen[field] = found[0]
    return chosen


def _fitting(fields: Iterable[str], names: Sequence[str], taken: set[str]) -> dict[str, list[str]]:
    """Of every field that is called otherwise in the file, the only column that it can be."""
    called: dict[str, list[str]] = {}
    for name in names:
        if name not in taken and (what := thing(name)):
            called.setdefault(what, []).append(name)
    found = {field: called[what] for field in fields if (what := thing(field)) in called}
    for field, columns in found.items():
        if len(columns) > 1:
            raise _several(field, columns)
    used = [columns[0] for columns in found.values()]
    return {field: columns for field, columns in found.items() if used.count(columns[0]) == 1}


def _several(field: str, columns: Sequence[str]) -> BadInputError:
    return BadInputError(
        t(
            f"Beberapa kolom dapat menjadi ruas {field}: {listed(columns)}. Sebutkan satu: "
            f"--map {field}=KOLOM.",
            f"Several columns could be the field {field}: {listed(columns)}. Name one: "
            f"--map {field}=COLUMN.",
        )
    )


def _require_known(given: Mapping[str, str], fields: Sequence[str]) -> None:
    if unknown := sorted(set(given) - set(fields)):
        raise BadInputError(
            t(
                f"Skema tidak memiliki ruas {', '.join(unknown)}. Ruasnya: "
                f"{', '.join(sorted(fields))}.",
                f"The schema has no field {', '.join(unknown)}. Its fields: "
                f"{', '.join(sorted(fields))}.",
            )
        )


def no_column(wanted: Sequence[str], names: Sequence[str], then: str = "") -> BadInputError:
    """Fields or columns that the file does not have; ``then``: what happens without them."""
    missing, present = listed(wanted), listed(names)
    told = (
        t(
            f"Kolom {missing} tidak ada di berkas. Kolom yang ada: {present}. Pakai "
            "--map ruas=kolom, atau --map ruas= bila berkas memang tidak memuatnya.",
            f"The file has no column {missing}. Its columns: {present}. Use --map field=column, or "
            "--map field= where the file has none.",
        ),
        then,
    )
    return BadInputError(" ".join(filter(None, told)))
