"""Error levels that both sides of a flow accepted: learned from a sample, proposed, and signed.

How matches differ, by pass, feature and level, is the one thing of an edition that no registry can
measure of itself. What comes with the software is rough; a rehearsal on files that both sides may
see learns better. Nothing is learned silently: a proposal is a document that both parties sign, and
an edition names it. Spec: ``proto/spec/36-editions.md``, "Levels".
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import from_json

from padan_linkage.crypto import signatures
from padan_linkage.crypto.software import FormatAge, format_age
from padan_linkage.edition.document import canonical, digest, json_object
from padan_linkage.matching.scoring.calibration import priors
from padan_linkage.matching.scoring.features import FeaturePlan
from padan_linkage.schema import Layout, Pass, Schema

VERSION = 1
#: What a signature is over: this, then the document.
STATEMENT = b"padan/v1 levels\x00"
#: Larger files are refused unread.
MOST_BYTES = 1 << 20
#: The shipped levels' part of every proposal: nothing that they hold possible becomes impossible,
#: and no level less likely than this share of what is shipped.
SHIPPED_SHARE = 0.1
#: What rounding may change of a sum or a bound.
_ROUNDED = 1e-6

#: Probabilities of matches by pass, feature and level.
Table = tuple[tuple[float, ...], ...]


class LevelsError(ValueError):
    """Levels cannot be relied on; ``differs`` names what is wrong.

    ``later``: they are whole, of a later version of Padan.
    """

    def __init__(self, differs: str, *, later: bool = False) -> None:
        super().__init__(f"levels: {differs}")
        self.differs = differs
        self.later = later


@dataclass(frozen=True)
class Levels:
    """How matches of a flow differ.

    ``agreement``, ``schema``: hex digests; ``rows``: of the list that it was learned from;
    ``pairs``: by pass with a filter, how many matches that rests on; ``m``: by pass,
    [features][levels], the probability of each level among matches.
    """

    agreement: str
    flow: str
    schema: str
    rows: int
    pairs: Mapping[str, int]
    m: Mapping[str, Table]

    @classmethod
    def learned(
        cls,
        agreement: bytes,
        flow: str,
        schema: Schema,
        rows: int,
        found: Mapping[str, tuple[float, Table]],
    ) -> Self:
        """A proposal from what was learned by pass: matches credited, and their levels."""
        own = 1 - SHIPPED_SHARE
        mixed = {
            p.id: _rows(own * np.array(found[p.id][1]) + SHIPPED_SHARE * _shipped(schema, p))
            for p in _filters(schema)
        }
        pairs = {name: round(number) for name, (number, _) in found.items()}
        return cls(agreement.hex(), flow, schema.digest().hex(), rows, pairs, mixed)

    def document(self) -> bytes:
        """The canonical bytes; :meth:`read` reads them back."""
        return canonical({"version": VERSION, **asdict(self)})

    def digest(self) -> str:
        """SHA-256 of the document, hex: what an edition calls it."""
        return digest(self.document())

    @staticmethod
    def read(document: bytes) -> Levels:
        """Read what :meth:`document` wrote. Raises LevelsError on anything else."""
        try:
            raw = json_object(document)
            age = format_age(raw.pop("version", None), VERSION)
            if age is not FormatAge.PRESENT:
                raise LevelsError("version", later=age is FormatAge.LATER)
            levels = _TYPED.validate_python(raw)
            same = levels.document() == document
        except LevelsError:
            raise
        except ValueError:
            raise LevelsError("document") from None
        if not same:
            raise LevelsError("document")
        return levels

    def check(self, agreement: bytes, flow: str, schema: Schema) -> None:
        """Raise LevelsError unless these are of the flow, and plausible.

        Every pass with a filter has every level of every feature, and none is less likely than the
        shipped levels' part of a proposal makes it.
        """
        wanted = {
            "agreement": agreement.hex(), "flow": flow, "schema": schema.digest().hex()
        }  # fmt: skip
        for name, value in wanted.items():
            if getattr(self, name) != value:
                raise LevelsError(name)
        passes = _filters(schema)
        if self.m.keys() != {p.id for p in passes} or self.pairs.keys() != self.m.keys():
            raise LevelsError("m")
        for p in passes:
            if not _plausible(self.m[p.id], _shipped(schema, p)):
                raise LevelsError(f"m[{p.id}]")


_TYPED = TypeAdapter(Levels)


@dataclass(frozen=True, repr=False)
class SignedLevels:
    """Levels with the signatures of parties that accept them, as a file that goes between them."""

    levels: Levels
    signatures: Mapping[str, bytes]

    def file(self) -> bytes:
        """The bytes of the file: readable JSON; what is signed is the canonical document in it."""
        shown = {
            "levels": from_json(self.levels.document()),
            "signatures": {
                party: base64.b64encode(signature).decode()
                for party, signature in sorted(self.signatures.items())
            },
        }
        return json.dumps(shown, indent=1, sort_keys=True).encode() + b"\n"

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read what :meth:`file` wrote. Raises LevelsError on anything else."""
        if len(content) > MOST_BYTES:
            raise LevelsError("document")
        try:
            raw = json_object(content)
            levels = Levels.read(canonical(raw.pop("levels")))
            signed = {
                str(party): base64.b64decode(text, validate=True)
                for party, text in raw.pop("signatures").items()
            }
        except LevelsError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, binascii.Error):
            raise LevelsError("document") from None
        if raw:
            raise LevelsError("document")
        return cls(levels, signed)

    @property
    def statement(self) -> bytes:
        """What each party signs."""
        return STATEMENT + self.levels.document()

    def signed(self, party: str, signature: bytes) -> SignedLevels:
        """The same with one signature more."""
        return replace(self, signatures={**self.signatures, party: signature})

    def missing(self, keys: Mapping[str, bytes]) -> tuple[str, ...]:
        """The parties that have not signed; ``keys``: Ed25519, 32 bytes, of all that must.

        Raises LevelsError for a signature that is wrong or of somebody else.
        """
        for party, signature in self.signatures.items():
            try:
                signatures.verify(keys[party], self.statement, signature)
            except (KeyError, signatures.SignatureError):
                raise LevelsError(f"signatures[{party}]") from None
        return tuple(party for party in keys if party not in self.signatures)


def _filters(schema: Schema) -> list[Pass]:
    return [p for p in schema.passes if p.similar]


def _shipped(schema: Schema, p: Pass) -> Any:
    """The levels that come with the software, float64[features, levels], each feature's sum 1."""
    presence = Layout.of(schema, p, provider=True).presence > 0
    m, _ = priors(FeaturePlan.of(p, presence=presence))
    return m / m.sum(axis=1, keepdims=True)


def _plausible(table: Any, shipped: Any) -> bool:
    try:
        m = np.array(table, np.float64)
    except (TypeError, ValueError):
        return False
    if m.shape != shipped.shape or not np.isfinite(m).all():
        return False
    likely = (m >= SHIPPED_SHARE * shipped * (1 - _ROUNDED)).all() and (m <= 1).all()
    return bool(likely and (np.abs(m.sum(axis=1) - 1) <= _ROUNDED).all())


def _rows(table: Any) -> Table:
    table = table / table.sum(axis=1, keepdims=True)
    return tuple(tuple(float(x) for x in row) for row in table)
