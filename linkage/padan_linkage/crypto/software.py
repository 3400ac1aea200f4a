"""Which Padan this is, and what two of them must have in common to talk."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from importlib.metadata import version

from padan_linkage.crypto.commit import commit

VERSION = version("padan")

#: What client, unit and provider must have in common (spec 30, "Handshake"). Counted up by whatever
#: makes one understand the other wrongly, however small.
PROTOCOL = 2
_MOST_FORMAT = 999_999_999


def shown(given: str) -> str:
    """A version that somebody else gave, without anything that a terminal could act on."""
    plain = "".join(c for c in given[:60] if c.isascii() and (c.isalnum() or c in " .()+-"))
    return plain or "?"


class FormatAge(Enum):
    """How the form of something that was read stands to the one that this version writes."""

    FORMER = "former"
    PRESENT = "present"
    LATER = "later"


def format_age(given: object, present: int | str) -> FormatAge:
    """The age of a format that a file gives.

    ``present``: a number, or a name with one number in it such as «padan backup 1». Raises
    ValueError where what is given is no format of that kind: nothing is taken for a number that is
    none, and nothing that is there for saying none.
    """
    number, known = _format_number(given, present), _format_number(present, present)
    if number == known:
        return FormatAge.PRESENT
    return FormatAge.LATER if number > known else FormatAge.FORMER


def _format_number(given: object, present: int | str) -> int:
    if isinstance(present, int):
        if type(given) is int and 0 <= given <= _MOST_FORMAT:
            return given
        raise ValueError("no number of a format")
    before, after = re.split(r"\d+", present)
    pattern = rf"{re.escape(before)}(\d{{1,9}}){re.escape(after)}"
    found = re.fullmatch(pattern, given, re.ASCII) if isinstance(given, str) else None
    if found is None:
        raise ValueError("no name of a format")
    return int(found[1])


@cache
def software() -> str:
    """Version and commit: «0.1.0 (59a77e8b4be8)», or «0.1.0 (tanpa commit)»."""
    return f"{VERSION} ({commit() or 'tanpa commit'})"
