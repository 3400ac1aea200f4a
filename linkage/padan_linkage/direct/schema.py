"""What direct mode compares: keys, each a way for two records to be the same person.

A schema is data and stands in the signed agreement (``[flow.direct]``); its fields are those of the
flow's linkage schema. Spec 60, "Keys".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Collection, Mapping
from itertools import product
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from padan_linkage.schema import DERIVATIONS, FrozenModel, Identifier, Kind, Schema

#: Most values that one record may have under one key: tags a record adds to the table, and
#: elements that every record of a list asks for under it.
MAX_VALUES = 16

#: Labels that one value can have, of as many persons: further ones have none under that key.
MOST_LABELS = 8
#: Codes that a flow may have in direct mode.
MOST_CODES = 32

#: Derivations of direct mode alone, by kind, with the most values that a record can have by it;
#: :mod:`.derived` makes them. Those of :data:`padan_linkage.schema.DERIVATIONS` give one each.
MANY_VALUED: dict[Kind, dict[str, int]] = {
    Kind.PERSON_NAME: {"edits": 16, "halves": 4, "words": 6, "pairs": 10},
    Kind.COMPANY_NAME: {"words": 6, "pairs": 10},
    Kind.PASSPORT: {"edits": 10},
}

_ALTERNATIVE = "|"

#: Quarter bits of one weight, at most.
MOST_WEIGHT = 400
Weight = Annotated[int, Field(ge=-MOST_WEIGHT, le=MOST_WEIGHT, strict=True)]


def alternatives(part: str) -> tuple[tuple[str, str], ...]:
    """Fields and derivations of a key's part, "" for the value itself: any of them may agree."""
    both = (one.partition(":") for one in part.split(_ALTERNATIVE))
    return tuple((name, derivation) for name, _, derivation in both)


class DirectKey(FrozenModel):
    """One key: the fields or derived values that agree, as in a pass's ``exact``.

    A part may have alternatives, ``tanggal_lahir|nik:birth_date``. So, or by its derivation, a
    record may have several values; two records agree if they share one. ``values``: how many of its
    combinations count, the first ones, in an order that both sides have; all unless it is said. A
    ``weak`` key is not an identifier: it opens a label together with another weak key, or, if it
    may answer ``alone``, by itself. A key with ``without`` is asked only for rows that have none of
    those fields: an identifier alone, for lists that hold nothing to check it by.
    """

    id: Identifier
    exact: Annotated[tuple[str, ...], Field(min_length=1, max_length=8)]
    weak: bool = False
    alone: bool = False
    values: Annotated[int, Field(ge=1, le=MAX_VALUES, strict=True)] | None = None
    without: tuple[Identifier, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, given: Any) -> Any:
        """What signed agreements of before call tolerant answers alone, as it did."""
        if not isinstance(given, Mapping) or "tolerant" not in given:
            return given
        said = dict(given)
        meant = said.pop("tolerant")
        if {"weak", "alone"} & said.keys():
            raise ValueError("tolerant is weak now: write weak = true, alone = true")
        return {**said, "weak": meant, "alone": meant}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.alone and not self.weak:
            raise ValueError("alone is said of weak keys; others answer alone anyway")
        return self

    @property
    def shared(self) -> bool:
        """Whether its labels hold a share alone: two such keys open, one tells no code."""
        return self.weak and not self.alone

    @property
    def named(self) -> tuple[str, ...]:
        """The fields that it compares, in the order of ``exact``, each once."""
        named = (name for part in self.exact for name, _ in alternatives(part))
        return tuple(dict.fromkeys(named))

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """What a record must have, one of each part's alternatives: ``exact`` in every reading."""
        return tuple(product(*(part.split(_ALTERNATIVE) for part in self.exact)))


class DirectScore(FrozenModel):
    """How sure a requester is of a person whose label opens, in quarter bits (spec 60, "Score").

    ``parts``: what each part of a key weighs where it agrees, of each field the heaviest alone;
    ``missed``: by key, where it is asked and does not meet; ``names``, ``places``: each half decade
    that the words of a name, and a place, are rarer. Whoever has ``threshold`` or more may answer,
    if ahead of all others by ``margin`` or more; it holds for a base table of so many ``rows``.
    """

    threshold: Weight
    rows: Annotated[int, Field(ge=1, lt=1 << 53, strict=True)]
    margin: Annotated[int, Field(ge=1, le=MOST_WEIGHT, strict=True)]
    parts: dict[str, Weight]
    missed: dict[Identifier, Weight] = Field(default_factory=dict)
    names: Weight = 0
    places: Weight = 0

    def at(self, rows: int) -> DirectScore:
        """The same for a base table of so many rows: a bit less is needed for each halving.

        For strangers are met as often as there are rows. Exact: ⌊4 · log₂(rows there / here)⌋.
        """
        more, fewer = max(rows, self.rows) ** 4, min(rows, self.rows) ** 4
        shift = (more // fewer).bit_length() - 1
        moved = self.threshold + (shift if rows > self.rows else -shift)
        return self.model_copy(update={"threshold": moved, "rows": rows})


class DirectSchema(FrozenModel):
    """Keys in the order in which they hold, and what may be asked.

    ``dummy_share``: dummy rows for each real one of a table. ``records_per_day`` (a day in Jakarta)
    and ``records_per_list``: records, of which each asks every key. ``minimum_batch``: records of a
    list, at least; shorter ones are filled up. ``score``: how sure an answer is; without one every
    label that opens may answer.
    """

    keys: Annotated[tuple[DirectKey, ...], Field(min_length=1, max_length=16)]
    dummy_share: Annotated[float, Field(ge=0, le=4)] = 0.1
    records_per_day: Annotated[int, Field(ge=0, strict=True)]
    records_per_list: Annotated[int, Field(ge=0, strict=True)]
    minimum_batch: Annotated[int, Field(ge=1, strict=True)] = 1
    score: DirectScore | None = None

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

    def at(self, rows: int) -> DirectSchema:
        """The schema as it decides about people in a base table of so many rows."""
        if self.score is None:
            return self
        return self.model_copy(update={"score": self.score.at(rows)})

    def opening(self, key_ids: Collection[str]) -> bool:
        """Whether these keys together can open a label; a single share opens none."""
        asked = [key for key in self.keys if key.id in key_ids]
        return len(asked) > 1 or any(not key.shared for key in asked)

    def widths(self, fields: Schema) -> tuple[int, ...]:
        """Elements that each record of a list asks for under each key, whatever it holds.

        In the order of the keys (spec 60, "Sizes"). Raises KeyError as :func:`most_values`.
        """
        return tuple(most_values(fields, key) for key in self.keys)

    def digest(self, fields: Schema) -> bytes:
        """SHA-256 of what decides the inputs, 32 bytes: the keys, and the kinds of their fields.

        Canonical JSON as in :meth:`padan_linkage.schema.Schema.digest` (spec 60, "Keys").
        """
        used = {name for k in self.keys for name in k.named}
        content = {
            "fields": {name: fields.kind(name).value for name in sorted(used)},
            "keys": [k.model_dump(mode="json") for k in self.keys],
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(b"padan/v1 direct schema\x00" + text.encode("ascii")).digest()


def most_values(fields: Schema, key: DirectKey) -> int:
    """Most values of one record that count under ``key``: what each asks for, whatever it has.

    Raises KeyError if a part names no field of ``fields`` or no derivation of its kind.
    """
    made = values_made(fields, key)
    return made if key.values is None else min(made, key.values)


def values_made(fields: Schema, key: DirectKey) -> int:
    """Most values that one record can have under ``key``, counted or not: the product of its parts.

    Raises KeyError as :func:`most_values`.
    """
    return math.prod(
        sum(_most_of(fields, *one) for one in alternatives(part)) for part in key.exact
    )


def _most_of(fields: Schema, name: str, derivation: str) -> int:
    kind = fields.kind(name)
    if not derivation or derivation in DERIVATIONS.get(kind, frozenset()):
        return 1
    return MANY_VALUED[kind][derivation]
