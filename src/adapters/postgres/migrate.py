"""Brings a database's schema to a revision. Safe for any number of processes at once."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from .revision import migrations_folder
from .tables.schema import SCHEMA

# Any number will do, as long as it is always the same one.
_LOCK = 7_205_759_403_792_793


async def migrate(engine: AsyncEngine, revision: str = "head") -> None:
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, revision)


async def downgrade(engine: AsyncEngine, revision: str = "base") -> None:
    """All the way down, nothing is left, and neither is what was in the tables."""
    async with engine.begin() as connection:
        await connection.run_sync(_downgrade, revision)


def _upgrade(connection: Connection, revision: str) -> None:
    _lock(connection)
    # `create schema if not exists` wants the right to create one even where it exists.
    if not _has_schema(connection):
        connection.execute(text(f"create schema {SCHEMA}"))
    command.upgrade(_config(connection), revision)


def _downgrade(connection: Connection, revision: str) -> None:
    _lock(connection)
    if not _has_schema(connection):
        return
    command.downgrade(_config(connection), revision)
    if _revision(connection) is None:
        connection.execute(text(f"drop table {SCHEMA}.alembic_version"))
        connection.execute(text(f"drop schema {SCHEMA}"))


def _lock(connection: Connection) -> None:
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _has_schema(connection: Connection) -> bool:
    found = connection.execute(text("select to_regnamespace(:name)::text"), {"name": SCHEMA})
    return found.scalar_one() is not None


def _revision(connection: Connection) -> str | None:
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    return context.get_current_revision()


def _config(connection: Connection | None = None) -> Config:
    config = Config(attributes={"connection": connection})
    # Alembic reads `%` in options as interpolation.
    folder = str(migrations_folder()).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.set_main_option("path_separator", "os")
    return config
