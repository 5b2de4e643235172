"""Which revision a database has, and which one it should have. Apart from migrate.py, because
Alembic takes a tenth of a second to import, and most starts find nothing to migrate."""

from pathlib import Path

from sqlalchemy import String, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncEngine

from .tables.schema import SCHEMA

_IS_THERE = select(func.to_regclass(f"{SCHEMA}.alembic_version"))
_REVISION = select(column("version_num", String)).select_from(
    table("alembic_version", schema=SCHEMA)
)


async def is_current(engine: AsyncEngine) -> bool:
    return await current(engine) == newest()


async def current(engine: AsyncEngine) -> str | None:
    """The database's revision; None before the first migration."""
    async with engine.connect() as connection:
        if (await connection.execute(_IS_THERE)).scalar_one() is None:
            return None
        return (await connection.execute(_REVISION)).scalar()


def newest() -> str:
    """The files are named by their revisions, which count up."""
    return max(path.name.partition("_")[0] for path in migrations_folder().glob("versions/*_*.py"))


def migrations_folder() -> Path:
    """Beside `src` in a checkout, inside the package in a wheel."""
    package = Path(__file__).resolve().parents[2]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"
