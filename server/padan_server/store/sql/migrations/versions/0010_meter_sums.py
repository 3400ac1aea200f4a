"""The files of the meters have checksums (spec 30, "Doubt"); the store itself stays as it is."""

from __future__ import annotations

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Count the form of the files beside the store."""
