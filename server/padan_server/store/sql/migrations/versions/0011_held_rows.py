"""The sum of the rows that each party's datasets hold, and indexes of what a party may list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_OWNED = ["agreement", "agreement_digest", "flow", "owner"]
# As of this version: what a later one counts is its own migration's to say.
_SUM = """
INSERT INTO held_rows (agreement, agreement_digest, flow, owner, pass_id, is_delta, rows)
SELECT d.agreement, d.agreement_digest, d.flow, d.owner, t.pass_id, d.base <> '',
       SUM(CASE WHEN t.rows > t.upload_rows THEN t.rows ELSE t.upload_rows END)
FROM datasets d JOIN dataset_tables t ON t.dataset = d.id
WHERE d.state IN ('open', 'committed', 'deleting')
GROUP BY d.agreement, d.agreement_digest, d.flow, d.owner, t.pass_id, d.base <> ''
"""


def upgrade() -> None:
    """Add up what there is, once."""
    op.create_table(
        "held_rows",
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("agreement_digest", sa.LargeBinary(), nullable=False),
        sa.Column("flow", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("pass_id", sa.Text(), nullable=False),
        sa.Column("is_delta", sa.Boolean(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "agreement", "agreement_digest", "flow", "owner", "pass_id", "is_delta"
        ),
    )
    op.execute(_SUM)
    for table in ("datasets", "runs"):
        op.drop_index(f"{table}_of_flow", table)
        op.create_index(f"{table}_of_flow", table, [*_OWNED, "sequence"], unique=False)
    op.drop_index("datasets_of_owner", "datasets")
    op.create_index("datasets_of_owner", "datasets", [*_OWNED, "state"], unique=False)
    op.create_index(
        "datasets_of_epoch",
        "datasets",
        ["agreement", "flow", "role", "state", "epoch", "commit_sequence"],
        unique=False,
    )
    op.create_index("runs_of_owner", "runs", ["owner", "sequence"], unique=False)
