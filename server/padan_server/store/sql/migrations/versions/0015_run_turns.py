"""Turns of the parties at runs, and what finds a party's oldest run that waits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Nobody has had a turn yet."""
    op.create_table(
        "run_turns",
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("owner"),
    )
    op.execute("INSERT INTO run_turns (owner, turn) SELECT DISTINCT owner, 0 FROM runs")
    op.drop_index("runs_by_state", "runs")
    op.create_index("runs_by_state", "runs", ["state", "owner", "sequence"], unique=False)
