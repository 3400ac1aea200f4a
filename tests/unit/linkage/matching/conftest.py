"""Made-up pass tables: a registry, and a list that holds some of its people with errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from padan_linkage.schema import Layout, Schema
from padan_linkage.tables import PassTable


@dataclass
class TableMaker:
    """Makes tables of one schema's first pass from a seed.

    A salt group is a set of rows with the same exact fields: they share segments now and then, as
    people of one birth date share names. Everything else is random bits.
    """

    schema: Schema
    seed: int = 1
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    @property
    def p(self):
        """The pass."""
        return self.schema.passes[0]

    def bits(self, rows: int, width: int) -> np.ndarray:
        """Random bits, uint8[rows, width]."""
        return self.rng.integers(0, 2, (rows, width), dtype=np.uint8)

    def registry(self, rows: int, *, sharing: float = 0.02, buckets: int | None = None):
        """(segments, keys): bits by segment, and buckets; neighbours may share a segment."""
        keys = self.rng.integers(0, buckets or 1 << self.p.bucket_bits, rows).astype("<u2")
        segments = [self.bits(rows, s.bits) for s in self.p.similar]
        for bits in segments:
            copies = np.flatnonzero(self.rng.random(rows) < sharing)
            copies = copies[copies > 0]
            bits[copies] = bits[copies - 1]
            keys[copies] = keys[copies - 1]
        return segments, keys

    def ask(self, segments, keys, rows: int, overlap: float, *, wrong: float = 0.1):
        """A list of ``rows``, the first ``overlap`` of them registry rows 0, 1, 2 … with errors."""
        known = int(rows * overlap)
        mine = [self.bits(rows, s.bits) for s in self.p.similar]
        new_keys = self.rng.integers(0, 1 << self.p.bucket_bits, rows).astype("<u2")
        new_keys[:known] = keys[:known]
        for bits, theirs in zip(mine, segments, strict=True):
            copied = self.rng.random(known) >= wrong
            at = np.flatnonzero(copied)
            bits[at] = theirs[at]
            typos = at[self.rng.random(len(at)) < wrong]
            bits[typos] ^= self.rng.random((len(typos), bits.shape[1])) < 0.25
        return mine, new_keys

    def table(self, segments, keys, *, provider: bool, presence=None, tags=None) -> PassTable:
        """The pass table of rows."""
        layout = Layout.of(self.schema, self.p, provider=provider)
        rows = len(keys)
        columns = {
            name: self.rng.integers(0, 256, (rows, width), dtype=np.uint8)
            for name, width in layout.columns()
        }
        columns["keys"] = keys.astype("<u2").view(np.uint8).reshape(rows, 2)
        packed = [np.packbits(bits, axis=1, bitorder="little") for bits in segments]
        columns["filters"] = np.ascontiguousarray(np.concatenate(packed, axis=1))
        if presence is None:
            presence = np.packbits(
                self.rng.random((rows, len(segments))) < 0.9, axis=1, bitorder="little"
            )
        if layout.presence:
            columns["presence"] = presence
        if tags is not None:
            columns["tags"] = tags
        return PassTable(self.p.id, layout, columns)

    def two(self, provider_rows: int, list_rows: int, overlap: float, **kinds):
        """Both tables of a simple case; list row i is registry row i below the overlap."""
        segments, keys = self.registry(provider_rows, **kinds)
        mine, my_keys = self.ask(segments, keys, list_rows, overlap)
        return (
            self.table(segments, keys, provider=True),
            self.table(mine, my_keys, provider=False),
        )


@pytest.fixture
def make_schema():
    """A schema of one pass with the given segments (bits, group) and a bucket width."""

    def make(*segments, bucket_bits=8, presence=False, confirm=(), exact=False) -> Schema:
        names = [f"f{i}" for i in range(len(segments))]
        fields = [{"name": n, "kind": "text"} for n in ("salt", *names)]
        similar = [
            {"fields": [n], "bits": bits, "group": group}
            for n, (bits, group) in zip(names, segments, strict=True)
        ]
        p = {
            "id": "one", "exact": ["salt"], "bucket_bits": bucket_bits, "confirm": confirm,
            "similar": [] if exact else similar,
        }  # fmt: skip
        return Schema.model_validate({"fields": fields, "passes": [p], "presence": presence})

    return make


@pytest.fixture
def make_world(make_schema):
    """A world of two or three 512-bit segments."""

    def make(seed=1, segments=((512, None), (512, None), (512, None)), **shape) -> TableMaker:
        return TableMaker(make_schema(*segments, **shape), seed)

    return make
