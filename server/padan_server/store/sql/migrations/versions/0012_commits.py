"""Commits are counted beside the store, pages have checksums; the store itself stays as it is."""

from __future__ import annotations

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Count the form of the files beside the store."""
