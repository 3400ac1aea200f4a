"""Heads: a number and a hash by which a server's past is known again.

What must not go back (suspensions, quota, epochs, registries) is a chain of events for each
agreement and each flow. Its head is how many events there were, and a hash over all of them that
begins with the name of the store which keeps them. Spec ``proto/spec/30-unit-mode.md``, "Heads".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from padan_linkage.crypto.merkle import leaf_hash, node_hash

STORE_BYTES = 16
#: A number that no chain reaches.
MOST_EVENTS = 1 << 53
#: What a chain may be called, as a regular expression.
CHAIN_NAME = r"^agreements/[a-z][a-z0-9-]{0,62}(/flows/[a-z][a-z0-9-]{0,62})?$"
#: The first event of an agreement in a store whose restore, or loss, was declared.
RESTORED = "restored"
_LABEL = b"padan/v1 head\x00"


@dataclass(frozen=True)
class Head:
    """``generation`` events happened in the chain ``name`` of ``store``; ``digest`` 32 bytes."""

    name: str
    store: bytes = field(repr=False)
    generation: int
    digest: bytes = field(repr=False)

    @classmethod
    def first(cls, store: bytes, name: str) -> Head:
        """The head before anything has happened."""
        return cls(name, store, 0, hashlib.sha256(_LABEL + store + name.encode()).digest())

    def followed_by(self, steps: Iterable[bytes]) -> Head:
        """The head after so many more events, each given by its :func:`step`."""
        generation, digest = self.generation, self.digest
        for each in steps:
            generation, digest = generation + 1, node_hash(digest, each)
        return Head(self.name, self.store, generation, digest)

    @property
    def written(self) -> str:
        """Store, number and hash, for people to compare: «3f21c0de:17:8a…»."""
        return f"{self.store.hex()[:8]}:{self.generation}:{self.digest.hex()}"


def chain_name(agreement: str, flow: str = "") -> str:
    """What the chain of an agreement, or of one of its flows, is called."""
    return f"agreements/{agreement}/flows/{flow}" if flow else f"agreements/{agreement}"


def event_bytes(event: str, facts: Mapping[str, str | int]) -> bytes:
    """An event as it is kept and hashed: canonical JSON."""
    document = {"event": event, **facts}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def restored_head(store: bytes, agreement: str) -> Head:
    """Where an agreement's chain begins in a store whose restore was declared."""
    return Head.first(store, chain_name(agreement)).followed_by([step(event_bytes(RESTORED, {}))])


def step(event: bytes) -> bytes:
    """What an event adds to a chain: the hash of a leaf of RFC 9162, 32 bytes."""
    return leaf_hash(event)
