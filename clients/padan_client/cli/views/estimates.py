"""Estimated shares as the commands show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from padan_client.base.language import t
from padan_client.base.numbers import decimal

if TYPE_CHECKING:
    from padan_linkage.answering.estimates import Expected, Share


def as_json(expected: Expected | None) -> dict[str, object]:
    """Estimates and the bounds that hold nine times out of ten; null where nothing can be said."""
    precision, recall = (expected.precision, expected.recall) if expected else (None, None)
    return {
        "estimated_precision": precision.value if precision else None,
        "estimated_recall": recall.value if recall else None,
        "estimated_precision_interval": [precision.low, precision.high] if precision else None,
        "estimated_recall_interval": [recall.low, recall.high] if recall else None,
        "doubtful": expected.dropped if expected else None,
    }


def shown(value: float | None) -> str:
    """A share with four decimals, a dash for none."""
    return "–" if value is None else decimal(value, 4)


def with_bounds(share: Share) -> str:
    """A share and its bounds, or as much of them as is known."""
    if share.low is None and share.high is None:
        return shown(share.value)
    bounds = f"{shown(share.low)}–{shown(share.high)}"
    return bounds if share.value is None else f"{shown(share.value)} ({bounds})"


def about_recall(share: Share) -> str:
    """What the estimated recall counts, and why it may have bounds alone."""
    counts = t(
        "Taksiran perolehan hanya menghitung pasangan yang dapat ditemukan oleh jalur-jalur ini.",
        "The estimated recall counts only matches that these passes can find.",
    )
    if share.value is not None:
        return counts
    return f"{counts} " + t(
        "Nilainya tidak dapat ditaksir: pasangan yang hanya sama dalam ruas persis suatu jalur "
        "tampak seperti orang lain. Yang diberikan hanya batasnya.",
        "It has no value here, only bounds: matches that share nothing but a pass's exact fields "
        "look like strangers.",
    )
