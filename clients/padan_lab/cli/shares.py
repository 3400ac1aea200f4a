"""Shares as the demonstration writes them."""

from __future__ import annotations

from padan_client.base.numbers import percent


def share(value: float | None) -> str:
    """Per cent with two decimals, a dash for none."""
    return "–" if value is None else percent(value, 2)
