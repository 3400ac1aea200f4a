"""TOML of which the reading cannot run away: what is out of bounds is refused and told where.

The standard library's reader follows every bracket by a call of its own and takes time that grows
with the square of a dotted key's length; a number of thousands of digits is no TOML error to it.
Whoever may put a file into a folder must not stop its reader by that. Spec 40, "File".
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

#: Larger files are refused unread: a real agreement takes some 20 kB.
MAX_DOCUMENT_BYTES = 1 << 20
#: No document here nests tables, lists or dotted keys deeper, or has a longer number.
MAX_DEPTH, MAX_DIGITS = 16, 64

_PART = r"""(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')"""
#: Longer than a line of any document may well be, and not for people to read.
_DOTTED = re.compile(rf"""(?<![\w."'-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{MAX_DEPTH},}}""")
_NUMBER = re.compile(
    rf"(?<![\w.])[+-]?(?:0[box][\da-fA-F_]{{{MAX_DIGITS + 1},}}+|\d(?:_?\d){{{MAX_DIGITS},}}+)"
)


class TomlTextError(ValueError):
    """The document cannot be read: ``code`` and ``where`` for findings, and two sentences."""

    def __init__(self, code: str, where: str, indonesian: str, english: str) -> None:
        super().__init__(english)
        self.code = code
        self.where = where
        self.indonesian = indonesian
        self.english = english


def read_toml(document: bytes) -> dict[str, Any]:
    """The tables in these bytes. Raises TomlTextError where they are no TOML or out of bounds."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise TomlTextError(
            "file-too-large",
            "file",
            f"Berkas lebih dari {MAX_DOCUMENT_BYTES} bita; ini bukan berkas Padan.",
            f"The file has more than {MAX_DOCUMENT_BYTES} bytes; it is no file of Padan's.",
        )
    text = _decoded(document)
    if (found := _DOTTED.search(text)) is not None:
        raise _too_deep(_line(text, found.start()))
    if (found := _NUMBER.search(text)) is not None:
        raise TomlTextError(
            "file-number",
            _line(text, found.start()),
            f"Bilangan lebih dari {MAX_DIGITS} angka; tidak ada yang memakainya.",
            f"A number of more than {MAX_DIGITS} digits; nothing has a use for it.",
        )
    return _parsed(text)


def _decoded(document: bytes) -> str:
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError as e:
        raise TomlTextError(
            "file-encoding",
            f"byte {e.start}",
            "Berkas bukan UTF-8; simpan ulang sebagai UTF-8 tanpa BOM.",
            "The file is not UTF-8; save it again as UTF-8 without BOM.",
        ) from None


def _parsed(text: str) -> dict[str, Any]:
    try:
        tables = tomllib.loads(text)
        deep = _is_deep(tables)
    except RecursionError:
        deep = True
    except tomllib.TOMLDecodeError as e:
        raise _malformed(str(e)) from None
    except ValueError:  # a date or a number that Python has no value for
        raise _malformed("a value that is none") from None
    if deep:
        raise _too_deep("file")
    return tables


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _inside(outer)]
    return bool(level)


def _inside(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _malformed(said: str) -> TomlTextError:
    return TomlTextError(
        "file-syntax", "file", f"Tulisan TOML salah: {said}.", f"Malformed TOML: {said}."
    )


def _too_deep(where: str) -> TomlTextError:
    return TomlTextError(
        "file-depth",
        where,
        f"Tabel, larik atau kunci bertitik lebih dari {MAX_DEPTH} tingkat.",
        f"Tables, arrays or dotted keys of more than {MAX_DEPTH} levels.",
    )


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"
