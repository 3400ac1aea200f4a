"""Copies: rows of one registry that are the same person, found by the registry's own holder.

Start at :func:`find_copies`. :mod:`.candidates` says which rows are compared, :mod:`.names`,
:mod:`.numbers` and :mod:`.values` what each field says of a pair, :mod:`.rule` which pairs are one
person. Plain values go in, so that only their holder can call it; nothing here is encoded or sent.
May import ``normalise``, ``schema`` and ``compiled``. Spec: ``proto/spec/35-matching.md``,
"Copies".
"""

from padan_linkage.merging.copies.rule import (
    BOUND,
    NO_COPIES,
    Copies,
    Evidence,
    find_copies,
    has_numbers,
)

__all__ = ["BOUND", "NO_COPIES", "Copies", "Evidence", "find_copies", "has_numbers"]
