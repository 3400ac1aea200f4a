"""Names of persons: lower-case ASCII tokens in their order, without titles."""

from __future__ import annotations

import re
from collections.abc import Callable

from padan_linkage.normalise.latin import is_missing, plain
from padan_linkage.normalise.outcome import Parser, Reason
from padan_linkage.normalise.spelling import LINKS, head_forms, token_form
from padan_linkage.normalise.titles import (
    BEHIND,
    BEHIND_BARE,
    FRONT,
    FRONT_DOTTED,
    FRONT_SHORT,
    MOST_PIECES,
)

_IN_PARENTHESES = re.compile(r"\([^()]*\)?")
#: What follows is another name of the same person.
_ALIAS = re.compile(r"\b(?:alias|als|a\.k\.a|a/k/a)\b|[@/;]")
_PIECE = re.compile(r"[a-z]+\.?")

Pieces = list[str]


def name_parser() -> Parser:
    """A parser of names with its own memory of tokens, to be used for one column."""
    forms: dict[str, str] = {}

    def form(token: str) -> str:
        known = forms.get(token)
        if known is None:
            known = forms[token] = token_form(token)
        return known

    return lambda value: _parse(value, form)


def _parse(value: str, form: Callable[[str], str]) -> str:
    if is_missing(value):
        return ""
    text = plain(value)
    if "(" in text:
        text = _IN_PARENTHESES.sub(" ", text)
    alias = _ALIAS.search(text)
    if alias:
        text = text[: alias.start()].strip() or text[alias.end() :].strip() or text
    head, *others = [_PIECE.findall(part) for part in text.split(",")]
    core = strip_behind(strip_front(head), after_comma=False)
    for part in others:
        core += strip_behind(part, after_comma=True)
    if not core:
        return Reason.UNREADABLE
    tokens = head_forms([form(piece.rstrip(".")) for piece in core])
    linked = [t for t in tokens[1:-1] if t not in LINKS]
    return " ".join([tokens[0], *linked, *tokens[1:][-1:]])


def strip_front(pieces: Pieces) -> Pieces:
    """Pieces without the titles in front of the name; the last piece always stays."""
    start = 0
    while start < len(pieces) - 1:
        left = len(pieces) - start
        piece = pieces[start].rstrip(".")
        if piece in FRONT or (piece in FRONT_SHORT and _more_than_initials(pieces[start + 1 :])):
            start += 1
        elif left > 2 and _dotted(pieces[start : start + 2]) in FRONT_DOTTED:
            start += 2
        else:
            break
    return pieces[start:]


def strip_behind(pieces: Pieces, *, after_comma: bool) -> Pieces:
    """Pieces without the titles behind the name.

    After a comma a title needs no dot, and nothing need be left over; elsewhere the first piece
    stays, and a title without a dot counts only if it is nobody's name.
    """
    end = len(pieces)
    floor = 0 if after_comma else 1
    while end > floor:
        for count in range(min(MOST_PIECES, end - floor), 0, -1):
            tail = pieces[end - count : end]
            title = "".join(tail).replace(".", "")
            dotted = after_comma or tail[0].endswith(".") or _follows_title(pieces[: end - count])
            if _is_title(tail, title, dotted=dotted):
                end -= count
                break
        else:
            break
    return pieces[:end]


def _is_title(tail: Pieces, title: str, *, dotted: bool) -> bool:
    if len(tail) > 1:
        return bool(_dotted(tail)) and title in BEHIND
    return title in BEHIND_BARE or (dotted and (title in BEHIND or title in FRONT))


def _follows_title(pieces: Pieces) -> bool:
    """Whether a title may follow on what is before it: ``Sri S.E.Ak``, but not ``A. Ma``."""
    return len(pieces) > 1 and (pieces[-1].endswith(".") or pieces[-1] in BEHIND_BARE)


def _dotted(pieces: Pieces) -> str:
    """The pieces as one abbreviation; "" unless each but the last ends with a dot."""
    if all(p.endswith(".") for p in pieces[:-1]):
        return "".join(pieces).replace(".", "")
    return ""


def _more_than_initials(pieces: Pieces) -> bool:
    return any(len(piece.rstrip(".")) > 1 for piece in pieces)
