from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from ...application.ports.credentials import Credentials
from ...domain.credentials import Credential
from ...domain.ids import KeyId
from .database import Database
from .tables.organizations import PROVIDER_CREDENTIALS

_TABLE = PROVIDER_CREDENTIALS.c
_READ = select(_TABLE.owner, _TABLE.provider, _TABLE.sealed).order_by(
    _TABLE.owner.nulls_first(), _TABLE.provider.collate("C")
)


class PostgresCredentials:
    """Each method raises StoreUnavailable. The owner of a credential must exist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        found = await self._read(
            _READ.where(
                _TABLE.provider == provider, (_TABLE.owner == owner) | _TABLE.owner.is_(None)
            )
        )
        return found[-1] if found else None

    async def of(self, owner: KeyId | None) -> tuple[Credential, ...]:
        return await self._read(_READ.where(_TABLE.owner.is_not_distinct_from(owner)))

    async def all(self) -> tuple[Credential, ...]:
        return await self._read(_READ)

    async def put(self, credential: Credential) -> None:
        added = insert(PROVIDER_CREDENTIALS).values(
            owner=credential.owner, provider=credential.provider, sealed=credential.sealed
        )
        async with self._database.changing() as connection:
            await connection.execute(
                added.on_conflict_do_update(
                    constraint="provider_credentials_owner_provider",
                    set_={"sealed": added.excluded.sealed, "updated_at": func.now()},
                )
            )

    async def remove(self, owner: KeyId | None, provider: str) -> bool:
        gone = delete(PROVIDER_CREDENTIALS).where(
            _TABLE.owner.is_not_distinct_from(owner), _TABLE.provider == provider
        )
        async with self._database.changing() as connection:
            return (await connection.execute(gone)).rowcount > 0

    async def _read(self, query: Select[UUID | None, str, str]) -> tuple[Credential, ...]:
        async with self._database.reading() as connection:
            return tuple(
                Credential(
                    owner=None if owner is None else KeyId(owner),
                    provider=provider,
                    sealed=sealed,
                )
                for owner, provider, sealed in await connection.execute(query)
            )


_: type[Credentials] = PostgresCredentials
