"""Which Padan this is, and what two of them must have in common to talk."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

from padan_linkage.crypto.commit import commit

VERSION = version("padan")

#: What client, unit and provider must have in common (spec 30, "Handshake"). Counted up by whatever
#: makes one understand the other wrongly, however small.
PROTOCOL = 1


def shown(given: str) -> str:
    """A version that somebody else gave, without anything that a terminal could act on."""
    plain = "".join(c for c in given[:60] if c.isascii() and (c.isalnum() or c in " .()+-"))
    return plain or "?"


@cache
def software() -> str:
    """Version and commit: «0.1.0 (59a77e8b4be8)», or «0.1.0 (tanpa commit)»."""
    return f"{VERSION} ({commit() or 'tanpa commit'})"
