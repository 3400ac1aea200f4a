"""The linkage schema: which fields a flow compares, in which passes, encoded how.

A schema is data. It stands in the signed agreement (or in a file of its own for a rehearsal), and
both sides and the linkage unit derive everything else from it: what is encoded, how wide each
column is, how many rows a table has. Spec: ``proto/spec/10-encoding.md``.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

#: Bytes of a token, a handle, a confirmation tag and a sealed code (spec 10, "Tables").
TOKEN_BYTES = 16
HANDLE_BYTES = 16
TAG_BYTES = 8
SEALED_CODE_BYTES = 44
BUCKET_BYTES = 2

#: Tables are padded to a multiple of this many rows, so that sizes say little (spec 30).
ROW_QUANTUM = 256

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Kind(StrEnum):
    """What a field holds; decides how it is normalised and cut into q-grams."""

    NIK = "nik"
    KK = "kk"
    NIP = "nip"
    NPWP = "npwp"
    PASSPORT = "passport"
    JKN_CARD = "jkn_card"
    BPJSTK_NUMBER = "bpjstk_number"
    NIB = "nib"
    KBLI = "kbli"
    PERSON_NAME = "person_name"
    COMPANY_NAME = "company_name"
    DATE = "date"
    PLACE = "place"
    ADDRESS = "address"
    PHONE = "phone"
    EMAIL = "email"
    SEX = "sex"
    NATIONALITY = "nationality"
    CODE = "code"
    TEXT = "text"


_NAME_KEYS = frozenset({
    "sorted", "phonetic", "phonetic_first", "phonetic_last", "initials", "first", "last", "telling",
    "joined", "letters", "ends", "longest", "consonants", "first1", "first2", "first3", "first_end",
    "last1", "last2", "last3", "last_end", "ends2", "ends3",
})  # fmt: skip
#: Derived keys that ``exact`` may name after a colon, by kind: ``nama:phonetic``.
DERIVATIONS: dict[Kind, frozenset[str]] = {
    Kind.PERSON_NAME: _NAME_KEYS,
    Kind.COMPANY_NAME: _NAME_KEYS,
    Kind.PLACE: frozenset({"phonetic", "joined"}),
    Kind.ADDRESS: frozenset({"sorted"}),
    Kind.TEXT: frozenset({"sorted", "phonetic", "first"}),
    Kind.DATE: frozenset({"year", "month", "day", "year_month", "unordered"}),
    Kind.NIK: frozenset({"district", "birth_date", "area"}),
    Kind.NIP: frozenset({"birth_date"}),
    Kind.CODE: frozenset({"prefix3", "prefix4"}),
}

#: Kinds whose values are few: a segment of their own leaks by equality (research, GRP attack).
LOW_ENTROPY_KINDS = frozenset({Kind.SEX, Kind.NATIONALITY, Kind.KBLI, Kind.PLACE})


#: Largest share of a segment's insertions that fields beside may take.
MOST_BESIDE = 0.25


class FrozenModel(BaseModel):
    """A part of a schema: immutable, and without a name that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SchemaField(FrozenModel):
    """One field of the records, by the name that both sides use for it."""

    name: Identifier
    kind: Kind


class Segment(FrozenModel):
    """A bit range of a pass's filter that holds one field, or several merged.

    ``bits`` is the length m, a multiple of 64; ``weight`` the constant number T of inserted bits;
    ``diffusion`` the number t of input bits XORed into each output bit (0: none). Segments of one
    ``group`` share hash, diffusion and mask, so that the unit can also compare them crosswise
    (given name against surname).

    ``beside`` names fields of few values (sex, an initial, a birthplace) that count a little: each
    is one q-gram with so few of the insertions that a differing one moves about a sixth of the
    bits. It shows only where ``fields`` agree: otherwise the segment looks random anyway.
    """

    fields: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    bits: Annotated[int, Field(ge=64, le=4096, multiple_of=64)] = 512
    weight: Annotated[int, Field(ge=1, le=1024)] = 100
    diffusion: Annotated[int, Field(ge=0, le=64)] = 10
    group: Identifier | None = None
    beside: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _mostly_fields(self) -> Self:
        if len(self.beside) * self.beside_weight > self.weight * MOST_BESIDE:
            raise ValueError(f"segment {self.label!r}: too many fields beside")
        return self

    @property
    def beside_weight(self) -> int:
        """Insertions of each field of ``beside``: m / 8t, rounded, and at least one."""
        taps = 8 * max(1, self.diffusion)
        return max(1, (self.bits + taps // 2) // taps)

    @property
    def shared_weight(self) -> int:
        """Insertions that the q-grams of ``fields`` share out."""
        return self.weight - self.beside_weight * len(self.beside)

    @property
    def named(self) -> tuple[str, ...]:
        """Every field that the segment holds."""
        return (*self.fields, *self.beside)

    @property
    def shown(self) -> str:
        """For readers: ``nama (jenis_kelamin)``."""
        beside = f" ({', '.join(self.beside)})" if self.beside else ""
        return "+".join(self.fields) + beside

    @property
    def label(self) -> str:
        """Name under which the segment's hash, diffusion and mask are derived."""
        return self.group or "+".join(self.fields)


class Pass(FrozenModel):
    """One way for two records to match: ``exact`` agrees, and ``similar`` is alike.

    ``exact`` names fields or derived keys (``nama:phonetic``); their keyed hash is the token.
    ``similar`` makes a segmented filter, salted by the exact fields. ``confirm`` names fields that
    get a confirmation tag, salted by the exact fields too. With ``without``, only those of a list's
    rows take part that have none of these fields, and all of a registry's: an identifier alone, for
    rows that hold nothing to check it by.
    """

    id: Identifier
    exact: Annotated[tuple[str, ...], Field(min_length=1)]
    similar: tuple[Segment, ...] = ()
    confirm: tuple[Identifier, ...] = ()
    without: tuple[Identifier, ...] = ()
    bucket_bits: Annotated[int, Field(ge=4, le=16)] = 12

    @property
    def named(self) -> tuple[str, ...]:
        """The fields that a record must have, in the order of ``exact``, each once."""
        return tuple(dict.fromkeys(key.partition(":")[0] for key in self.exact))

    @property
    def filter_bits(self) -> int:
        """Length of the whole filter, bits; 0 in an exact pass."""
        return sum(s.bits for s in self.similar)

    @property
    def filter_words(self) -> int:
        """Length of the whole filter in 64-bit words."""
        return self.filter_bits // 64


class Schema(FrozenModel):
    """An ordered list of passes over named fields.

    ``presence`` sends a presence mask (profile ``seimbang``); without it an empty segment is random
    bits and nothing tells (profile ``ketat``). ``decoy_share`` is the number of decoy rows for each
    real one.
    """

    fields: Annotated[tuple[SchemaField, ...], Field(min_length=1)]
    passes: Annotated[tuple[Pass, ...], Field(min_length=1, max_length=32)]
    presence: bool = False
    decoy_share: Annotated[float, Field(ge=0, le=4)] = 0.25

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        kinds = {f.name: f.kind for f in self.fields}
        if len(kinds) != len(self.fields):
            raise ValueError("field names repeat")
        if len({p.id for p in self.passes}) != len(self.passes):
            raise ValueError("pass ids repeat")
        for p in self.passes:
            _check_pass(p, kinds)
        return self

    @property
    def filtered(self) -> tuple[Pass, ...]:
        """The passes that compare by likeness, with a filter."""
        return tuple(p for p in self.passes if p.similar)

    @property
    def compared(self) -> tuple[str, ...]:
        """The fields that passes compare or depend on, in the schema's order.

        Direct mode's keys may compare more of them.
        """
        used = {key.partition(":")[0] for p in self.passes for key in p.exact}
        used |= {name for p in self.passes for s in p.similar for name in s.named}
        used |= {name for p in self.passes for name in p.without}
        return tuple(f.name for f in self.fields if f.name in used)

    def kind(self, name: str) -> Kind:
        """Kind of the field called ``name``. Raises KeyError if there is none."""
        for f in self.fields:
            if f.name == name:
                return f.kind
        raise KeyError(name)

    def get_pass(self, pass_id: str) -> Pass:
        """The pass called ``pass_id``. Raises KeyError if there is none."""
        for p in self.passes:
            if p.id == pass_id:
                return p
        raise KeyError(pass_id)

    def digest(self) -> bytes:
        """SHA-256 of the canonical schema, 32 bytes (spec 10, "Schema digest").

        Canonical: JSON with sorted keys, no spaces, ASCII escapes, every default written out.
        """
        text = json.dumps(
            self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True
        )
        return hashlib.sha256(b"padan/v1 schema\x00" + text.encode("ascii")).digest()

    def padded_rows(self, record_count: int) -> int:
        """Rows of every table made of ``record_count`` records: decoys added, rounded up."""
        wanted = max(1, math.ceil(record_count * (1 + self.decoy_share)))
        return math.ceil(wanted / ROW_QUANTUM) * ROW_QUANTUM

    def charged_records(self, record_count: int) -> int:
        """Records that a list of ``record_count`` counts for in a quota (spec 30, "Runs").

        Every row of a table is a question that is answered, so every row is charged, cover too.
        """
        return self.padded_rows(record_count)


def _check_pass(p: Pass, kinds: Mapping[str, Kind]) -> None:
    """Raise ValueError if ``p`` names what is not there, or a group has two shapes."""
    for key in p.exact:
        name, _, derivation = key.partition(":")
        if name not in kinds:
            raise ValueError(f"pass {p.id}: no field {name!r}")
        if derivation and derivation not in DERIVATIONS.get(kinds[name], frozenset()):
            raise ValueError(f"pass {p.id}: {kinds[name]} has no derived key {derivation!r}")
    for name in [n for s in p.similar for n in s.named] + [*p.confirm, *p.without]:
        if name not in kinds:
            raise ValueError(f"pass {p.id}: no field {name!r}")
    compared = {*p.named, *p.confirm, *(n for s in p.similar for n in s.named)}
    for name in sorted(compared & set(p.without)):
        raise ValueError(f"pass {p.id}: compares {name!r}, and is for rows without it")
    sizes: dict[str, tuple[int, int]] = {}
    for s in p.similar:
        size = (s.bits, s.diffusion)
        if sizes.setdefault(s.label, size) != size:
            raise ValueError(f"pass {p.id}: segments of group {s.label!r} differ in shape")


class Layout(FrozenModel):
    """Byte widths of the columns of a pass table; 0 means the column is absent (spec 10)."""

    keys: int
    filters: int
    presence: int
    tags: int
    handles: int
    sealed_codes: int
    operations: int = 0

    @classmethod
    def of(cls, schema: Schema, p: Pass, *, provider: bool, delta: bool = False) -> Layout:
        """Widths for one side's table of pass ``p``; ``delta`` adds the row operations."""
        return cls(
            keys=BUCKET_BYTES if p.similar else TOKEN_BYTES,
            filters=p.filter_bits // 8,
            presence=math.ceil(len(p.similar) / 8) if schema.presence else 0,
            tags=TAG_BYTES * len(p.confirm),
            handles=HANDLE_BYTES if provider else 0,
            sealed_codes=SEALED_CODE_BYTES if provider else 0,
            operations=1 if delta else 0,
        )

    def columns(self) -> list[tuple[str, int]]:
        """Present columns as (name, width in bytes), in the order that digests use."""
        return [(name, width) for name, width in vars(self).items() if width]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row over all columns."""
        return sum(vars(self).values())
