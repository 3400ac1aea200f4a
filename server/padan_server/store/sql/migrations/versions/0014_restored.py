"""When an operator declared that the store was restored, or that it had lost something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add it; of earlier restores it is not known."""
    op.add_column("marks", sa.Column("restored", sa.BigInteger()))
