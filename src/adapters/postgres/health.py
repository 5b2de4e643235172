from sqlalchemy import text

from ...domain.errors import StoreUnavailable
from .database import Database


class PostgresHealth:
    """Whether the database answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self) -> bool:
        try:
            async with self._database.reading() as connection:
                await connection.execute(text("select 1"))
        except StoreUnavailable:
            return False
        return True
