"""What a spreadsheet would carry out that opens a CSV, wherever it takes a cell to begin.

A file is divided by whatever separator the reader's computer has, so that a formula also begins
behind a comma or semicolon within a cell (OWASP, "CSV Injection").
"""

from __future__ import annotations

import re

#: What a formula begins with; East Asian spreadsheets take the wide forms too.
_SIGNS = "=+@\\-\t\n\uff1d\uff0b\uff0d\uff20"
#: Where a cell begins, for some separator, and what may stand before a formula in it.
_BEGIN, _BEFORE = "(^|[,;|\t\n])", "[ '\"]*"

#: The place before each formula of a text, RE2's and Python's way of writing it being one.
FORMULA = f"{_BEGIN}{_BEFORE}[{_SIGNS}]"
_FORMULAS = re.compile(f"{_BEGIN}(?={_BEFORE}[{_SIGNS}])")
#: The same with an apostrophe put there.
MARKED = f"{_BEGIN}'{_BEFORE}[{_SIGNS}]"
_MARKED = re.compile(f"{_BEGIN}'(?={_BEFORE}[{_SIGNS}])")
#: A number with a sign, and the dash that stands for nothing, call nothing.
_PLAIN = re.compile(r"[+-][0-9][0-9 .,]*|-+")


def is_formula(text: str) -> bool:
    """Whether some spreadsheet would carry out a part of the cell."""
    return _FORMULAS.search(text) is not None and not _PLAIN.fullmatch(text)


def marked(text: str) -> str:
    """The cell with an apostrophe before each formula: shown, not carried out."""
    return text if _PLAIN.fullmatch(text) else _FORMULAS.sub(r"\1'", text)


def unmarked(text: str) -> str:
    """The cell that :func:`marked` was given."""
    return _MARKED.sub(r"\1", text)
