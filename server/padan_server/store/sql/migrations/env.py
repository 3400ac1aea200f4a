"""Alembic's entry: runs the migrations on the connection that ``store/sql/store.py`` hands over."""

from alembic import context

from padan_server.store.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
