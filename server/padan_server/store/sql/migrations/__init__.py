"""Alembic migrations of the unit's store; run at start."""
