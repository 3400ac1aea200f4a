"""Chains of what must not go back (spec 30, "Heads"), and which software encoded a dataset."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Make the table, empty: every chain begins with the next event."""
    op.create_table(
        "heads",
        sa.Column("store", sa.LargeBinary(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("store", "agreement", "flow", "generation"),
    )
    op.add_column("datasets", sa.Column("made_by", sa.Text(), nullable=False, server_default=""))
