from ...application.ports.credentials import Credentials
from ...domain.credentials import Credential
from ...domain.ids import KeyId


class MemoryCredentials:
    """For a gateway that is embedded without a database."""

    def __init__(self) -> None:
        self._sealed: dict[tuple[KeyId | None, str], Credential] = {}

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        return self._sealed.get((owner, provider)) or self._sealed.get((None, provider))

    async def of(self, owner: KeyId | None) -> tuple[Credential, ...]:
        return tuple(each for each in await self.all() if each.owner == owner)

    async def put(self, credential: Credential) -> None:
        self._sealed[credential.owner, credential.provider] = credential

    async def remove(self, owner: KeyId | None, provider: str) -> bool:
        return self._sealed.pop((owner, provider), None) is not None

    async def all(self) -> tuple[Credential, ...]:
        return tuple(sorted(self._sealed.values(), key=_place))


def _place(credential: Credential) -> tuple[str, str]:
    """Those that serve every key stand first."""
    return str(credential.owner or ""), credential.provider


_: type[Credentials] = MemoryCredentials
