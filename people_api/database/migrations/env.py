"""Alembic's environment: our tables, on the connection from `migrate`."""

from alembic import context

from people_api.database.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
