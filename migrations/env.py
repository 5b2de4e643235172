"""How Alembic runs a migration. The connection is handed in by `adapters/postgres/migrate.py`."""

from alembic import context

from langroute.adapters.postgres.tables.all import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table_schema=METADATA.schema,
    include_schemas=True,
)
context.run_migrations()
