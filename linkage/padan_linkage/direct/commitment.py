"""A list's chunks, and the commitment to them: what a requester may have evaluated, and no more.

Elements lie key by key, in chunks of one key each; the commitment is the Merkle root over the
chunks (RFC 9162). How a list is cut follows from the agreement and its number of records alone, and
both sides cut it by this. The root tells nothing about whom the list names, because blinded
elements are random. Spec 60, "Commitment".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

import numpy as np
from numpy.typing import NDArray

from padan_linkage.crypto.merkle import HASH_BYTES, MerkleError, Tree, leaf_hash, verify_inclusion
from padan_linkage.direct.oprf import ELEMENT_BYTES
from padan_linkage.direct.schema import DirectSchema
from padan_linkage.schema import Schema

#: Elements of a chunk; the last of each key may have fewer.
CHUNK_ELEMENTS = 1024


@dataclass(frozen=True)
class ChunkPlace:
    """A chunk: ``count`` elements of a list from number ``start`` on, all of key number ``key``."""

    key: int
    start: int
    count: int


@dataclass(frozen=True)
class ListLayout:
    """A list of ``records``, each of which asks ``widths`` elements, by key in the schema's order.

    Elements of a key lie together, record by record, and keys one after the other.
    """

    records: int
    widths: tuple[int, ...]

    @classmethod
    def of(cls, fields: Schema, schema: DirectSchema, records: int) -> Self:
        """The layout of a flow's list. Raises KeyError as :meth:`DirectSchema.widths`."""
        return cls(records, schema.widths(fields))

    @property
    def element_count(self) -> int:
        """Elements of the list."""
        return self.records * sum(self.widths)

    @property
    def chunk_count(self) -> int:
        """Chunks of the list."""
        return sum(map(self._chunks_of, self.widths))

    @property
    def starts(self) -> tuple[int, ...]:
        """The first element of each key."""
        return tuple(self.records * before for before in accumulate(self.widths, initial=0))[:-1]

    def chunk(self, number: int) -> ChunkPlace:
        """Chunk number ``number``, from 0; IndexError if the list has none such."""
        at = number
        for key, (start, width) in enumerate(zip(self.starts, self.widths, strict=True)):
            if 0 <= at < self._chunks_of(width):
                first = at * CHUNK_ELEMENTS
                return ChunkPlace(
                    key, start + first, min(CHUNK_ELEMENTS, self.records * width - first)
                )
            at -= self._chunks_of(width)
        raise IndexError("the list has no such chunk")

    def chunks(self) -> list[ChunkPlace]:
        """All chunks, in order."""
        return [self.chunk(number) for number in range(self.chunk_count)]

    def places(self, elements: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of elements of the list, int64[m], the chunk of each and its place there, int64[m]."""
        starts = np.array([place.start for place in self.chunks()], np.int64)
        chunks = np.searchsorted(starts, elements, "right") - 1
        return chunks, elements - starts[chunks]

    def _chunks_of(self, width: int) -> int:
        return -(-self.records * width // CHUNK_ELEMENTS)


class CommitmentError(Exception):
    """A chunk is not the one that was committed to; the message says in what."""


class Commitment:
    """A requester's commitment to its chunks, of which the provider gets the ``root``."""

    __slots__ = ("_tree",)

    def __init__(self, layout: ListLayout, chunks: Iterable[bytes]) -> None:
        """``chunks``: packed elements of each chunk of the layout.

        Raises ValueError for others, and for a list without elements.
        """
        leaves = []
        for place, chunk in zip(layout.chunks(), chunks, strict=True):
            if len(chunk) != ELEMENT_BYTES * place.count:
                raise ValueError("not a chunk of such a list")
            leaves.append(leaf_hash(chunk))
        if not leaves:
            raise ValueError("a list has at least one element")
        self._tree = Tree(leaves)

    @classmethod
    def to(cls, layout: ListLayout, elements: bytes) -> Commitment:
        """The commitment to a whole list in memory, packed elements; ValueError as above."""
        if len(elements) != ELEMENT_BYTES * layout.element_count:
            raise ValueError("not the elements of such a list")
        return cls(layout, (_cut(elements, place.start, place.count) for place in layout.chunks()))

    @property
    def root(self) -> bytes:
        """Merkle root, 32 bytes."""
        return self._tree.root

    def audit_path(self, chunk: int) -> bytes:
        """Audit path of that chunk, 32 bytes a step; IndexError if there is no such chunk."""
        return b"".join(self._tree.inclusion_proof(chunk))


def _cut(elements: bytes, start: int, count: int) -> bytes:
    return elements[ELEMENT_BYTES * start : ELEMENT_BYTES * (start + count)]


def verify_chunk(
    root: bytes, layout: ListLayout, chunk: int, elements: bytes, audit_path: bytes
) -> None:
    """Return if ``elements`` are chunk number ``chunk`` of the committed list.

    Raises CommitmentError for a chunk out of range or of another length, and for an audit path that
    does not lead to the root. Whether the elements are points is :mod:`.oprf`'s to say.
    """
    try:
        place = layout.chunk(chunk)
    except IndexError:
        raise CommitmentError("the list has no such chunk") from None
    if len(elements) != ELEMENT_BYTES * place.count:
        raise CommitmentError("the chunk has another number of elements than committed to")
    if len(audit_path) % HASH_BYTES:
        raise CommitmentError("the audit path has a broken step")
    path = [audit_path[i : i + HASH_BYTES] for i in range(0, len(audit_path), HASH_BYTES)]
    try:
        verify_inclusion(root, layout.chunk_count, chunk, leaf_hash(elements), path)
    except MerkleError as error:
        raise CommitmentError("the chunk is not the one that was committed to") from error
