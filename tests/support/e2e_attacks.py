"""The curious unit at work: given two passes of one upload, which rows are the same record?

An attack turns what it sees of two tables into a likeness of every row of the one with every row of
the other, ``float32[n, m]``; higher is more alike. :func:`hits` and :func:`advantage` say how much
it has found, by the truth that only the tests know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

from padan_linkage.schema import Pass, Schema

Columns = dict[str, np.ndarray]
Attack = Callable[["StolenTable", "StolenTable"], Iterator[np.ndarray]]

_NONCE_BYTES = 12
_PERMUTATIONS = 100


@dataclass(frozen=True, repr=False)
class StolenTable:
    """One pass's table as the unit holds it, ``columns`` uint8[n, width] by name."""

    p: Pass
    columns: Columns

    def __len__(self) -> int:
        return len(self.columns["keys"])

    def segments(self) -> dict[str, np.ndarray]:
        """The filter's segments by what they hold, uint8[n, bits / 8]."""
        at, found = 0, {}
        for segment in self.p.similar:
            width = segment.bits // 8
            found["+".join(segment.fields)] = self.columns["filters"][:, at : at + width]
            at += width
        return found

    @cached_property
    def structure(self) -> list[np.ndarray]:
        """Of each row: how many rows have its key; its likeness to the nearest of them by segment.

        -inf where it is alone.
        """
        _, group = np.unique(self.columns["keys"], axis=0, return_inverse=True)
        same = group[:, None] == group[None, :]
        np.fill_diagonal(same, val=False)
        near = [
            np.where(same, same_bits(bits, bits), -np.inf).max(axis=1)
            for bits in self.segments().values()
        ]
        return [same.sum(axis=1), *near]

    def numbers(self) -> np.ndarray:
        """The key of each row, token or bucket, as a number between 0 and 1 that sorts like it."""
        keys = self.columns["keys"]
        if keys.shape[1] == 2:
            return keys.view("<u2")[:, 0] / float(1 << self.p.bucket_bits)
        return np.ascontiguousarray(keys[:, :8]).view(">u8")[:, 0] / 2.0**64


def ranks(values: np.ndarray) -> np.ndarray:
    """Place of each value among all, 0 to 1; equal values share the mean of their places."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return ((last - (counts + 1) / 2) / len(values)).astype(np.float32)[which]


def alike(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Likeness of two features, one number a row each."""
    return -np.abs(ranks(first)[:, None] - ranks(second)[None, :])


def same_bits(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Number of equal bits (half of them by chance, less that half) over the narrower width."""
    width = min(first.shape[1], second.shape[1])
    signs = [
        np.unpackbits(np.ascontiguousarray(c[:, :width]), axis=1).astype(np.float32) * 2 - 1
        for c in (first, second)
    ]
    return signs[0] @ signs[1].T / 2


def by_place(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Order of the rows: of sending, of chunks and acknowledgements, of the files."""
    yield alike(np.arange(len(a)), np.arange(len(b)))


def by_keys(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Tokens and buckets: their order, and their leading bits."""
    yield alike(a.numbers(), b.numbers())
    leading = [(s.numbers() * 2**16).astype(">u2").view(np.uint8).reshape(-1, 2) for s in (a, b)]
    yield same_bits(*leading)


def by_seals(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Sealed codes: order of the nonces, bits of ciphertext and tag."""
    if {"sealed_codes"} <= a.columns.keys() & b.columns.keys():
        codes = [s.columns["sealed_codes"] for s in (a, b)]
        nonces = [np.ascontiguousarray(c[:, 4:_NONCE_BYTES]).view(">u8")[:, 0] for c in codes]
        yield alike(*nonces)
        yield same_bits(*(c[:, _NONCE_BYTES:] for c in codes))


def by_handles(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Handles: their bits."""
    if {"handles"} <= a.columns.keys() & b.columns.keys():
        yield same_bits(a.columns["handles"], b.columns["handles"])


def by_tags(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Confirmation tags of the same field: their bits."""
    for name in set(a.p.confirm) & set(b.p.confirm):
        at = [8 * s.p.confirm.index(name) for s in (a, b)]
        tags = [s.columns["tags"][:, i : i + 8] for s, i in zip((a, b), at, strict=True)]
        yield same_bits(*tags)


def by_filters(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Filters: nearest neighbours over all bits and over each common field, weights."""
    if a.p.similar and b.p.similar:
        yield same_bits(a.columns["filters"], b.columns["filters"])
        yield alike(*(np.bitwise_count(s.columns["filters"]).sum(axis=1) for s in (a, b)))
        ours, theirs = a.segments(), b.segments()
        for name in ours.keys() & theirs.keys():
            yield same_bits(ours[name], theirs[name])
            weights = [np.bitwise_count(s[name]).sum(axis=1) for s in (ours, theirs)]
            yield alike(*weights)


def by_neighbours(a: StolenTable, b: StolenTable) -> Iterator[np.ndarray]:
    """Each row's place in its own table's structure: rows of its key, and how near they are."""
    (size_a, *near_a), (size_b, *near_b) = a.structure, b.structure
    yield alike(size_a, size_b)
    if near_a and near_b:
        yield np.sum([alike(*both) for both in zip(near_a, near_b, strict=False)], axis=0)


#: Features that nearly all rows differ in: the mean likeness of true pairs is a fair measure.
GRADED: dict[str, Attack] = {
    "place": by_place,
    "keys": by_keys,
    "seals": by_seals,
    "handles": by_handles,
    "tags": by_tags,
    "filters": by_filters,
}
#: Features that most rows share and few stand out by: only rows found count.
COUNTED: dict[str, Attack] = {"neighbours": by_neighbours}


@dataclass(frozen=True)
class Success:
    """What an attack has found: ``hits`` of ``asked`` rows, and its advantage over chance."""

    attack: str
    passes: tuple[str, str]
    hits: int
    asked: int
    advantage: float


def hits(likeness: np.ndarray, pairs: np.ndarray, rng: np.random.Generator) -> int:
    """Rows whose likest row is the true one; among equally like rows one is drawn.

    ``pairs`` is int64[k, 2]. If rows are dealt at random, each is found with probability 1 / m.
    """
    true = likeness[pairs[:, 0], pairs[:, 1]]
    most = likeness.max(axis=1)[pairs[:, 0]]
    found = 0
    for row in pairs[true == most, 0]:
        found += rng.random() * np.count_nonzero(likeness[row] == likeness[row].max()) < 1
    return int(found)


def advantage(likeness: np.ndarray, pairs: np.ndarray, rng: np.random.Generator) -> float:
    """Mean likeness of true pairs, in standard deviations of the same when dealt at random."""
    dealt = [
        likeness[pairs[:, 0], rng.permutation(pairs[:, 1])].mean() for _ in range(_PERMUTATIONS)
    ]
    spread = np.std(dealt)
    true = likeness[pairs[:, 0], pairs[:, 1]].mean()
    return float((true - np.mean(dealt)) / spread) if spread else 0.0


def true_pairs(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Rows of two tables that are the same record, int64[k, 2], from each row's record or -1."""
    size = 1 + max(first.max(), second.max())
    at = np.full(size, -1)
    at[second[second >= 0]] = np.flatnonzero(second >= 0)
    rows = np.flatnonzero(first >= 0)
    pairs = np.column_stack([rows, at[first[rows]]])
    return pairs[pairs[:, 1] >= 0]


def attack_passes(
    schema: Schema, tables: dict[str, Columns], record_of_row: dict[str, np.ndarray]
) -> Iterator[Success]:
    """Every attack on every two passes of an upload."""
    seen = {p: StolenTable(schema.get_pass(p), columns) for p, columns in tables.items()}
    for a, b in combinations(seen, 2):
        pairs = true_pairs(record_of_row[a], record_of_row[b])
        yield from attack_pair(seen[a], seen[b], pairs)


def attack_pair(a: StolenTable, b: StolenTable, pairs: np.ndarray) -> Iterator[Success]:
    """Every attack on two tables."""
    rng = np.random.default_rng(7)
    names = a.p.id, b.p.id
    for name, attack in {**GRADED, **COUNTED}.items():
        for likeness in attack(a, b):
            found = hits(likeness, pairs, rng)
            gain = advantage(likeness, pairs, rng) if name in GRADED else 0.0
            yield Success(name, names, found, len(pairs), gain)
