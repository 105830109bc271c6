"""Alembic's environment: the connection comes from `register.database`, never from a file."""

from __future__ import annotations

from alembic import context

from signer.register.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
