"""Numbers for a reader, as the chosen language writes them: 1.234,5 or 1,234.5."""

from __future__ import annotations

from padan_client.base.language import t

_OTHER_MARKS = str.maketrans(",.", ".,")


def number(value: int) -> str:
    """A count, thousands set apart."""
    return decimal(value, 0)


def decimal(value: float, places: int) -> str:
    """A number with so many decimals."""
    return t(indonesian(value, places), f"{value:,.{places}f}")


def indonesian(value: float, places: int = 0) -> str:
    """The same for a page that is Indonesian whatever the language chosen."""
    return f"{value:,.{places}f}".translate(_OTHER_MARKS)


def percent(share: float, places: int = 1) -> str:
    """A share of 1 in per cent, with the sign, which stays in its line."""
    return f"{decimal(100 * share, places)}\u00a0%"
