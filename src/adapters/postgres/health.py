from collections.abc import Callable

from sqlalchemy import text

from ...domain.errors import StoreUnavailable
from .database import Database


class PostgresHealth:
    """Whether the database answers, and there `is_room` for what is to be written to it: a write
    that fails for ever, while all else is well, ends in calls that are refused."""

    def __init__(self, database: Database, is_room: Callable[[], bool]) -> None:
        self._database = database
        self._is_room = is_room

    async def __call__(self) -> bool:
        if not self._is_room():
            return False
        try:
            async with self._database.reading() as connection:
                await connection.execute(text("select 1"))
        except StoreUnavailable:
            return False
        return True
