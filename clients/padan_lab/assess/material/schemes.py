"""Ways of encoding a population, as an attacker runs them under keys of her own.

:class:`PassScheme` is the product itself: ``encode_table`` with buckets, cover, presence and
random filling. :class:`PlainScheme` is the positive control: one unsalted, unhardened filter a
record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa

from padan_lab.assess.material.attacker_view import Numbers, Seen, SeenTable
from padan_linkage.cover import with_cover
from padan_linkage.crypto.keys import LinkageKey
from padan_linkage.crypto.randomness import Drbg
from padan_linkage.encoding import PassEncoder
from padan_linkage.encoding.plain import encode_plain
from padan_linkage.encoding.qgrams import qgrams
from padan_linkage.normalise import exact_values
from padan_linkage.schema import Pass, Schema

Fields = Mapping[str, pa.StringArray]

_AGREEMENT = hashlib.sha256(b"padan assess").digest()


def _secret(seed: int) -> bytes:
    return hashlib.sha256(b"assess key %d" % seed).digest()


class Scheme(Protocol):
    """Something that turns a population into a table, under the key that ``seed`` makes."""

    def encode(self, people: Fields, seed: int) -> SeenTable:
        """The table of all ``people``; ``Table.person`` are their positions."""
        ...

    def grams(self, people: Fields) -> list[frozenset[bytes]]:
        """What of each person goes into the filters, as an attacker with the plaintext knows it."""
        ...

    def identities(self, people: Fields) -> list[tuple[str, ...]]:
        """All values that the scheme uses of each person; equal ones cannot be told apart."""
        ...


@dataclass(frozen=True)
class PassScheme:
    """One pass of a schema, encoded exactly as for an upload."""

    schema: Schema
    p: Pass

    def encode(self, people: Fields, seed: int) -> SeenTable:
        """See :class:`Scheme`."""
        key = LinkageKey(_secret(seed), _AGREEMENT, "assess", 1)
        encoder = PassEncoder(self.schema, self.p, key)
        count = len(next(iter(people.values())))
        drbg = Drbg(hashlib.sha256(b"assess rows %d" % seed).digest())
        # A schema without decoys is a control, and is not padded with them either.
        rows = self.schema.padded_rows(count) if self.schema.decoy_share else count
        covered = with_cover(self.schema, people, rows, drbg)
        made = encoder.encode(covered, people=count, drbg=drbg)
        tokens = np.ascontiguousarray(made.tokens).view(f"V{made.tokens.shape[1]}").ravel()
        group = np.unique(tokens, return_inverse=True)[1].astype(np.int64)
        return SeenTable(Seen.of(self.p, made.table.columns), made.record_of_row, group)

    def salts(self, people: Fields) -> Numbers:
        """Salt group of each person as a number, -1 where an exact value is missing."""
        columns = [c.to_pylist() for c in exact_values(self.schema, self.p, dict(people))]
        values = list(zip(*columns, strict=True))
        number = {value: i for i, value in enumerate(sorted(set(values)))}
        return np.array([-1 if "" in v else number[v] for v in values], np.int64)

    def grams(self, people: Fields) -> list[frozenset[bytes]]:
        """See :class:`Scheme`; a q-gram stands with its segment's label and its field."""
        sets: list[set[bytes]] = [set() for _ in next(iter(people.values()))]
        for segment in self.p.similar:
            for place, name in enumerate(segment.fields):
                kind, front = self.schema.kind(name), f"{segment.label}/{place}/".encode()
                for found, value in zip(sets, people[name].to_pylist(), strict=True):
                    found.update(front + gram for gram in qgrams(kind, value))
            for name in segment.beside:
                front = f"{segment.label}/{name}/".encode()
                for found, value in zip(sets, people[name].to_pylist(), strict=True):
                    found.update([front + value.encode()] if value else [])
        return [frozenset(s) for s in sets]

    def identities(self, people: Fields) -> list[tuple[str, ...]]:
        """See :class:`Scheme`."""
        names = {n for s in self.p.similar for n in s.named}
        columns = [c.to_pylist() for c in exact_values(self.schema, self.p, dict(people))]
        columns += [people[n].to_pylist() for n in sorted(names)]
        return list(zip(*columns, strict=True))


@dataclass(frozen=True)
class PlainScheme:
    """A record-level filter without salt, diffusion, mask or decoys: what the attacks broke first.

    1,024 bits and ten positions a bigram, as in :mod:`padan_linkage.encoding.plain`.
    """

    fields: Sequence[str]

    def encode(self, people: Fields, seed: int) -> SeenTable:
        """See :class:`Scheme`."""
        filters = encode_plain([people[n] for n in self.fields], _secret(seed))
        order = np.random.default_rng(seed).permutation(len(filters))
        packed = np.ascontiguousarray(filters[order]).view(np.uint8)
        alone = np.zeros(len(order), np.int64)
        seen = Seen(alone, (packed,), np.ones((len(order), 1), np.bool_))
        return SeenTable(seen, order.astype(np.int64), alone)

    def grams(self, people: Fields) -> list[frozenset[bytes]]:
        """See :class:`Scheme`."""
        sets: list[set[bytes]] = [set() for _ in next(iter(people.values()))]
        for name in self.fields:
            for found, value in zip(sets, people[name].to_pylist(), strict=True):
                text = f" {value} ".encode()
                found.update(name.encode() + text[i : i + 2] for i in range(len(text) - 1))
        return [frozenset(s) for s in sets]

    def identities(self, people: Fields) -> list[tuple[str, ...]]:
        """See :class:`Scheme`."""
        return list(zip(*(people[n].to_pylist() for n in self.fields), strict=True))
