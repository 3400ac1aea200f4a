"""Manifest and signature of the label tables that are served: what has to be there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add them; the next look at the folder fills them in."""
    for name in ("manifest", "signature"):
        op.add_column("label_tables", sa.Column(name, sa.LargeBinary()))
