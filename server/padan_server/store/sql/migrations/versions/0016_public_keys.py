"""A list names the public key of each direct key; one of before has one alone, and is over."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """What is kept stays as it is: no key of now is among it."""
    op.execute("ALTER TABLE blinded_lists RENAME COLUMN public_key TO public_keys")
