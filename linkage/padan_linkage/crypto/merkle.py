"""Merkle trees as in RFC 9162, section 2.1: roots and inclusion proofs.

Used for chunks of label tables and of blinded lists (spec 60). SHA-256 throughout; a leaf and an
inner node never hash alike, because each has its own prefix byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
_LEAF, _NODE = b"\x00", b"\x01"


class MerkleError(Exception):
    """A proof does not lead to the root; the message says which kind of proof."""


def leaf_hash(entry: bytes | memoryview) -> bytes:
    """Hash of one entry, 32 bytes: SHA-256(0x00 ‖ entry)."""
    digest = hashlib.sha256(_LEAF)
    digest.update(entry)
    return digest.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node, 32 bytes: SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(_NODE + left + right).digest()


class Tree:
    """A tree over ``leaves``, hashes of entries as :func:`leaf_hash` gives them.

    All levels are kept (about twice the leaves), so that every proof takes a step a level. The tree
    of RFC 9162 is the one in which a level's last node without a sibling moves up as it is.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes]) -> None:
        level = list(leaves)
        if any(len(leaf) != HASH_BYTES for leaf in level):
            raise ValueError(f"a leaf hash has {HASH_BYTES} bytes")
        self._levels = [level]
        while len(level) > 1:
            pairs = range(0, len(level) - 1, 2)
            above = [node_hash(level[i], level[i + 1]) for i in pairs]
            level = above + level[2 * len(above) :]
            self._levels.append(level)

    def __len__(self) -> int:
        return len(self._levels[0])

    @property
    def root(self) -> bytes:
        """Hash of the whole tree, 32 bytes; of an empty tree, SHA-256 of nothing."""
        return self._levels[-1][0] if len(self) else hashlib.sha256(b"").digest()

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Audit path of leaf ``index``, from the leaf up (section 2.1.3.1). Raises IndexError."""
        if not 0 <= index < len(self):
            raise IndexError(f"no leaf {index} in a tree of {len(self)}")
        path = []
        for level in self._levels[:-1]:
            sibling = index ^ 1
            if sibling < len(level):
                path.append(level[sibling])
            index >>= 1
        return path


def verify_inclusion(
    root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]
) -> None:
    """Return if ``leaf`` is leaf ``index`` of the tree of ``size`` leaves with that root.

    RFC 9162, section 2.1.3.2. Raises MerkleError otherwise.
    """
    if not 0 <= index < size or any(len(step) != HASH_BYTES for step in path):
        raise MerkleError("the audit path does not fit the tree")
    at, last, computed = index, size - 1, leaf
    for step in path:
        if last == 0:
            raise MerkleError("the audit path is too long")
        if at & 1 or at == last:
            computed = node_hash(step, computed)
            at, last = _past_only_children(at, last)
        else:
            computed = node_hash(computed, step)
        at, last = at >> 1, last >> 1
    if last or computed != root:
        raise MerkleError("the audit path does not lead to the root")


def _past_only_children(at: int, last: int) -> tuple[int, int]:
    """Up the levels on which the node has no sibling and moves up as it is."""
    while not at & 1 and at:
        at, last = at >> 1, last >> 1
    return at, last
