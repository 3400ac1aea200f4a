"""How often a run died with its server, and indexes of what a party can make at will."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add them; no run has died yet."""
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("deaths", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("runs") as runs:
        runs.alter_column("deaths", server_default=None)
    op.create_index(
        "datasets_of_owner", "datasets", ["agreement", "flow", "owner", "state"], unique=False
    )
    op.create_index("datasets_by_commit", "datasets", ["commit_sequence"], unique=False)
    op.create_index(
        "datasets_committed",
        "datasets",
        ["agreement", "flow", "role", "state", "commit_sequence"],
        unique=False,
    )
