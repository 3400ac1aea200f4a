"""The present moment, for whoever must know it; tests give another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present moment; tables expire, agreements are replaced."""
    return datetime.now(UTC)
