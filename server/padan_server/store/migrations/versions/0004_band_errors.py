"""What a run's passes estimate by band, and what they see and do not answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; passes that ended before have no such estimates."""
    op.add_column(
        "run_passes", sa.Column("band_errors", sa.Text(), nullable=False, server_default="[]")
    )
    op.add_column("run_passes", sa.Column("unanswered", sa.Double(), nullable=True))
