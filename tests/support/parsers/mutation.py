"""Inputs that nobody wrote, made of those that somebody did.

Bytes alone seldom get past the first check of a document, so most changes keep what it is written
in: a JSON document has values exchanged, a text has its lines and words moved.
"""

from __future__ import annotations

import json
import random
from typing import Any

#: What readers stumble over.
_NUMBERS = (0, 1, -1, 2**31, 2**63, -(2**63), 2**64, 10**40, 1e308, 1e-320, float("nan"), 0.5)
_STRINGS = (
    "", " ", "\x00", "\n", "\ufeff", "\ud800", "é", "🂡", "\u202e", "\x1b[2J", "=1+1", "../..",
    "9" * 400, "2026-02-30", "2026-02-30T00:00:00Z", "0" * 64, "A" * 3000, "null", "nan", "1e999",
)  # fmt: skip
_BYTES = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\n", b"\r", b'"', b"'", b",", b";", b"=",
    b"[", b"{", b"[" * 3000, b'{"a":' * 300, b"9" * 5000, b"a." * 3000, b"\x1b]0;", b"-", b".",
)  # fmt: skip


def mutated(content: bytes, draw: random.Random) -> bytes:
    """The input with one to four changes; the same of the same state of ``draw``."""
    for _ in range(draw.choice((1, 1, 2, 4))):
        content = draw.choice(_WAYS)(content, draw)
    return content


def _structure(content: bytes, draw: random.Random) -> bytes:
    """A JSON document with a value exchanged, written as canonical documents are."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return _bytes(content, draw)
    compact = content[:1] == b"{" and b"\n" not in content
    value = _changed(value, draw)
    try:
        shown = json.dumps(
            value,
            sort_keys=compact,
            separators=(",", ":") if compact else None,
            indent=None if compact else 1,
        )
    except (TypeError, ValueError):
        return content
    return shown.encode("utf-8", "surrogatepass") + (b"" if compact else b"\n")


def _changed(value: Any, draw: random.Random) -> Any:
    """One place of the value is another: an exchanged leaf, a name or an item less or more."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        return _table(value, draw)
    if isinstance(value, list) and value and draw.random() < 0.85:
        return _list(value, draw)
    return _leaf(value, draw)


def _table(value: dict[str, Any], draw: random.Random) -> Any:
    name, how = draw.choice(list(value)), draw.random()
    if how < 0.08:
        return {k: v for k, v in value.items() if k != name}
    if how < 0.12:
        return value | {_other(name, draw): value[name]}
    return value | {name: _changed(value[name], draw)}


def _list(value: list[Any], draw: random.Random) -> Any:
    at, how = draw.randrange(len(value)), draw.random()
    if how < 0.1:
        return value[:at] + value[at + 1 :]
    if how < 0.2:
        return value[: at + 1] + value[at:]
    return [*value[:at], _changed(value[at], draw), *value[at + 1 :]]


def _leaf(value: Any, draw: random.Random) -> Any:
    strange = (None, True, [], {}, [[]], {"": 0}, draw.choice(_NUMBERS), draw.choice(_STRINGS))
    if draw.random() < 0.4:
        return draw.choice(strange)
    if isinstance(value, str):
        return _other(value, draw)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return draw.choice((value + 1, -value, value * 2**9, str(value)[:30]))
    return draw.choice(strange)


def _other(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text) + 1)
    new = draw.choice((draw.choice(_STRINGS), chr(draw.randrange(0x250)), text[:at]))
    return text[:at] + new + text[at + draw.randrange(3) :]


def _bytes(content: bytes, draw: random.Random) -> bytes:
    at = draw.randrange(len(content) + 1)
    end = min(len(content), at + draw.choice((0, 1, 1, 2, 8, 64)))
    new = draw.choice((b"", draw.randbytes(1), draw.randbytes(4), draw.choice(_BYTES)))
    return content[:at] + new + content[end:]


def _flipped(content: bytes, draw: random.Random) -> bytes:
    if not content:
        return content
    at = draw.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :]


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: draw.randrange(len(content) + 1)]


def _lines(content: bytes, draw: random.Random) -> bytes:
    """Lines left out, said twice, moved, or joined."""
    lines = content.split(b"\n")
    one, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    how = draw.randrange(4)
    if how == 0:
        lines = lines[:one] + lines[one + 1 :]
    elif how == 1:
        lines = [*lines[:one], lines[one], *lines[one:]]
    elif how == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines[one] = lines[one] + draw.choice(_BYTES) + lines[other]
    return b"\n".join(lines)


_WAYS = (_structure, _structure, _bytes, _flipped, _lines, _cut, _bytes, _structure)
