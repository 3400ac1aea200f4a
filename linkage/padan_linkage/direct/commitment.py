"""The commitment to a list of blinded elements: what a requester may have evaluated, and no more.

Elements are cut into chunks; the commitment is the Merkle root over the chunks (RFC 9162). It tells
nothing about whom the list names, because blinded elements are random. Spec 60, "Commitment".
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from padan_linkage.crypto.merkle import HASH_BYTES, MerkleError, Tree, leaf_hash, verify_inclusion
from padan_linkage.direct.oprf import ELEMENT_BYTES

#: Elements of every chunk but the last.
CHUNK_ELEMENTS = 1024
CHUNK_BYTES = CHUNK_ELEMENTS * ELEMENT_BYTES


class CommitmentError(Exception):
    """A chunk is not the one that was committed to; the message says in what."""


def chunk_count(element_count: int) -> int:
    """Chunks of a list of that many elements."""
    return math.ceil(element_count / CHUNK_ELEMENTS)


def chunk_elements(element_count: int, chunk: int) -> int:
    """Elements of chunk number ``chunk`` of such a list; CommitmentError if there is none."""
    if not 0 <= chunk < chunk_count(element_count):
        raise CommitmentError("the list has no such chunk")
    return min(CHUNK_ELEMENTS, element_count - chunk * CHUNK_ELEMENTS)


class Commitment:
    """A requester's commitment to its chunks: ``root`` goes to the provider with the count."""

    __slots__ = ("_tree", "element_count")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        """``chunks``: packed elements, CHUNK_ELEMENTS in each but the last, at least one element.

        Raises ValueError for chunks of another shape.
        """
        leaves = []
        count = 0
        for each in chunks:
            elements, rest = divmod(len(each), ELEMENT_BYTES)
            if rest or not 0 < elements <= CHUNK_ELEMENTS or count % CHUNK_ELEMENTS:
                raise ValueError(f"chunks have {CHUNK_ELEMENTS} elements, the last at most")
            leaves.append(leaf_hash(each))
            count += elements
        if not count:
            raise ValueError("a list has at least one element")
        self._tree = Tree(leaves)
        #: Number of elements of the list.
        self.element_count = count

    @classmethod
    def to(cls, elements: bytes) -> Commitment:
        """The commitment to a whole list in memory, packed elements."""
        return cls(elements[at : at + CHUNK_BYTES] for at in range(0, len(elements), CHUNK_BYTES))

    @property
    def root(self) -> bytes:
        """Merkle root, 32 bytes."""
        return self._tree.root

    def audit_path(self, chunk: int) -> bytes:
        """Audit path of that chunk, 32 bytes a step; IndexError if there is no such chunk."""
        return b"".join(self._tree.inclusion_proof(chunk))


def verify_chunk(
    root: bytes, element_count: int, chunk: int, elements: bytes, audit_path: bytes
) -> None:
    """Return if ``elements`` are chunk number ``chunk`` of the committed list.

    Raises CommitmentError for a chunk out of range or of another length, and for an audit path that
    does not lead to the root. Whether the elements are points is :mod:`.oprf`'s to say.
    """
    if len(elements) != ELEMENT_BYTES * chunk_elements(element_count, chunk):
        raise CommitmentError("the chunk has another number of elements than committed to")
    if len(audit_path) % HASH_BYTES:
        raise CommitmentError("the audit path has a broken step")
    path = [audit_path[i : i + HASH_BYTES] for i in range(0, len(audit_path), HASH_BYTES)]
    try:
        verify_inclusion(root, chunk_count(element_count), chunk, leaf_hash(elements), path)
    except MerkleError as error:
        raise CommitmentError("the chunk is not the one that was committed to") from error
