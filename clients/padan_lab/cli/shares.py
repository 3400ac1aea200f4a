"""Shares as the demonstration writes them."""

from __future__ import annotations

from padan_client.base.language import current_language


def share(value: float | None) -> str:
    """Per cent with two decimals, a dash for none."""
    if value is None:
        return "–"
    text = f"{100 * value:.2f} %"
    return text if current_language() == "en" else text.replace(".", ",")
