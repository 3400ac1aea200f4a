"""What direct mode compares: keys, each a way for two records to be the same person.

A schema is data and stands in the signed agreement (``[flow.direct]``); its fields are those of the
flow's linkage schema. Spec 60, "Keys".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from padan_linkage.schema import DERIVATIONS, FrozenModel, Identifier, Kind, Schema

#: Most values that one record may have under one key: tags a record adds to the table, and
#: elements that every record of a list asks for under it.
MAX_VALUES = 16

#: Derivations of direct mode alone, by kind, with the most values that a record can have by it;
#: :mod:`.derive` makes them. Those of :data:`padan_linkage.schema.DERIVATIONS` give one each.
MANY_VALUED: dict[Kind, dict[str, int]] = {
    Kind.PERSON_NAME: {"edits": 16},
    Kind.PASSPORT: {"edits": 10},
}


class DirectKey(FrozenModel):
    """One key: the fields or derived values that agree, as in a pass's ``exact``.

    A derivation may give a record several values; two records agree if they share one. A ``weak``
    key is not an identifier: what several records share under it is ambiguous; ``alone``: the
    agreement lets it answer by itself. A key with ``without`` is asked only for rows that have none
    of those fields: an identifier alone, for lists that hold nothing to check it by.
    """

    id: Identifier
    exact: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    weak: bool = False
    alone: bool = False
    without: tuple[Identifier, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        if isinstance(given, Mapping) and "tolerant" in given:
            raise ValueError("tolerant is weak now: write weak = true, alone = true")
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.alone and not self.weak:
            raise ValueError("alone is said of weak keys; others answer alone anyway")
        return self

    @property
    def named(self) -> tuple[str, ...]:
        """The fields that a record must have, in the order of ``exact``, each once."""
        return tuple(dict.fromkeys(part.partition(":")[0] for part in self.exact))


class DirectSchema(FrozenModel):
    """Keys in the order in which they hold, and what may be asked.

    ``dummy_share``: dummy rows for each real one of a table. ``records_per_day`` (a day in Jakarta)
    and ``records_per_list``: records, of which each asks every key. ``minimum_batch``: records of a
    list, at least; shorter ones are filled up.
    """

    keys: Annotated[tuple[DirectKey, ...], Field(min_length=1, max_length=16)]
    dummy_share: Annotated[float, Field(ge=0, le=4)] = 0.1
    records_per_day: Annotated[int, Field(ge=0, strict=True)]
    records_per_list: Annotated[int, Field(ge=0, strict=True)]
    minimum_batch: Annotated[int, Field(ge=1, strict=True)] = 1

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len({k.id for k in self.keys}) != len(self.keys):
            raise ValueError("direct key ids repeat")
        return self

    def key(self, key_id: str) -> DirectKey:
        """The key called ``key_id``. Raises KeyError if there is none."""
        for k in self.keys:
            if k.id == key_id:
                return k
        raise KeyError(key_id)

    def elements_per_record(self, fields: Schema) -> int:
        """Elements that each record of a list asks for, whatever it holds (spec 60, "Sizes").

        Raises KeyError as :func:`most_values`.
        """
        return sum(most_values(fields, key) for key in self.keys)

    def digest(self, fields: Schema) -> bytes:
        """SHA-256 of what decides the inputs, 32 bytes: the keys, and the kinds of their fields.

        Canonical JSON as in :meth:`padan_linkage.schema.Schema.digest` (spec 60, "Keys").
        """
        used = {e.partition(":")[0] for k in self.keys for e in k.exact}
        content = {
            "fields": {name: fields.kind(name).value for name in sorted(used)},
            "keys": [k.model_dump(mode="json") for k in self.keys],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(b"padan/v1 direct schema\x00" + text.encode("ascii")).digest()


def most_values(fields: Schema, key: DirectKey) -> int:
    """Most values that one record can have under ``key``: the product over its parts.

    Raises KeyError if a part names no field of ``fields`` or no derivation of its kind.
    """
    return math.prod(_part_values(fields, part) for part in key.exact)


def _part_values(fields: Schema, part: str) -> int:
    name, _, derivation = part.partition(":")
    kind = fields.kind(name)
    if not derivation or derivation in DERIVATIONS.get(kind, frozenset()):
        return 1
    return MANY_VALUED[kind][derivation]
