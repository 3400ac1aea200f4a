"""What two files say of a person or company, by role: the fields that direct keys are made of.

Keys are made and rehearsed under the roles' names and get the columns' names at the end, so that
what a column is called, and where it stands, changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from padan_linkage.advice.fields import FieldChoice, Fields
from padan_linkage.advice.groups import joined_columns
from padan_linkage.advice.vocabulary import Meaning
from padan_linkage.agreement.group_sizes import STRONG_KINDS
from padan_linkage.direct.schema import DirectKey, alternatives
from padan_linkage.normalise import normalise, sound_values
from padan_linkage.schema import Kind, Pass, Schema, SchemaField

Columns = dict[str, pa.StringArray]
Rows = NDArray[np.int64]

NAME, DATE, PLACE, BUSINESS = "name", "date", "place", "business"
#: Roles that are told by one name each, where they are compared at all; the first there is.
_ROLES: dict[str, tuple[Meaning, ...]] = {
    **{m.value: (m,) for m in Meaning if m.value in STRONG_KINDS},
    NAME: (Meaning.FULL_NAME, Meaning.COMPANY),
    DATE: (Meaning.BIRTH_DATE,),
    PLACE: (Meaning.BIRTHPLACE, Meaning.PLACE),
    "address": (Meaning.ADDRESS,),
    "sex": (Meaning.SEX,),
    "nationality": (Meaning.NATIONALITY,),
    "phone": (Meaning.PHONE,),
    "email": (Meaning.EMAIL,),
    "kk": (Meaning.KK,),
}


@dataclass(frozen=True)
class Subjects:
    """The fields by role, ``chosen``, and the ``kinds`` of their values."""

    chosen: Mapping[str, FieldChoice]

    @classmethod
    def of(cls, fields: Fields, registry: pa.Table) -> Subjects:
        """Of several fields of a role that with most values: order and spelling decide nothing."""
        found: dict[str, FieldChoice] = {}
        for role, meanings in _ROLES.items():
            fitting = next((f for f in map(fields.of, meanings) if f), [])
            if fitting:
                found[role] = max(fitting, key=lambda f: _variety(f, registry))
        business = [f for f in fields.chosen if f.kind is Kind.KBLI]
        if business:
            found[BUSINESS] = business[0]
        return cls(found)

    def __contains__(self, role: object) -> bool:
        return role in self.chosen

    @property
    def kinds(self) -> dict[str, Kind]:
        """By role."""
        return {role: f.kind for role, f in self.chosen.items()}

    @property
    def companies(self) -> bool:
        """Whether the files are about companies."""
        return NAME in self and self.chosen[NAME].kind is Kind.COMPANY_NAME

    @property
    def identifiers(self) -> tuple[str, ...]:
        """Roles of the numbers that name one person or company."""
        return tuple(r for r, f in self.chosen.items() if f.kind in STRONG_KINDS)

    def schema(self, exact: str) -> Schema:
        """The roles as fields; a schema has a pass, which nothing here looks at."""
        fields = tuple(SchemaField(name=role, kind=kind) for role, kind in self.kinds.items())
        return Schema(fields=fields, passes=(Pass(id="unused", exact=(exact,)),))

    def columns(self, table: pa.Table, side: str) -> Columns:
        """The normalised values by role, as both sides compare them."""
        made = {}
        for role, f in self.chosen.items():
            names = f.columns_a if side == "A" else f.columns_b
            made[role] = normalise(f.kind, joined_columns(table, names)).values
        return made

    def named(self, key: DirectKey) -> DirectKey:
        """The key of roles as one of the fields' names."""
        exact = tuple(map(self._part, key.exact))
        without = tuple(self.chosen[role].name for role in key.without)
        return key.model_copy(update={"exact": exact, "without": without})

    def _part(self, part: str) -> str:
        """A part of a key with the fields' names in place of the roles'."""
        return "|".join(
            self.chosen[role].name + (f":{derivation}" if derivation else "")
            for role, derivation in alternatives(part)
        )

    def used(self, keys: Sequence[DirectKey]) -> list[FieldChoice]:
        """The fields that keys compare or depend on, each once."""
        roles = dict.fromkeys(role for k in keys for role in (*k.named, *k.without))
        return [self.chosen[role] for role in roles]


def without_copies(columns: Columns, identifiers: Sequence[str]) -> Rows:
    """Rows of people, int64: of those of one number and one name, or equal ones, the first alone.

    A copy would be a stranger who answers to everything.
    """
    copied = _repeats(list(columns.values()))
    for role in (r for r in identifiers if NAME in columns):
        numbered = pc.not_equal(sound_values(columns[role]), "").to_numpy(zero_copy_only=False)
        copied |= numbered & _repeats([columns[role], columns[NAME]])
    return np.flatnonzero(~copied).astype(np.int64)


def _repeats(columns: Sequence[pa.StringArray]) -> NDArray[np.bool_]:
    """Rows that say what a row before them says."""
    values = pc.binary_join_element_wise(*columns, "\x1f")
    _, first = np.unique(values.dictionary_encode().indices.to_numpy(), return_index=True)
    repeated = np.ones(len(values), np.bool_)
    repeated[first] = False
    return repeated


def _variety(f: FieldChoice, registry: pa.Table) -> int:
    return len(joined_columns(registry, f.columns_b).unique())
