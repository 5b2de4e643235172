from ...application.ports.credentials import Credentials
from ...domain.credentials import Credential
from ...domain.ids import KeyId
from .audit import MemoryAudit


class MemoryCredentials:
    """For a gateway that is embedded without a database."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit
        self._sealed: dict[tuple[KeyId | None, str], Credential] = {}

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        return self._sealed.get((owner, provider)) or self._sealed.get((None, provider))

    async def of(self, owner: KeyId | None) -> tuple[Credential, ...]:
        return tuple(each for each in await self.all() if each.owner == owner)

    async def put(self, credential: Credential) -> None:
        place = credential.owner, credential.provider
        before = self._sealed.get(place)
        self._sealed[place] = credential
        self._saw(credential.provider, before, credential)

    async def remove(self, owner: KeyId | None, provider: str) -> bool:
        gone = self._sealed.pop((owner, provider), None)
        self._saw(provider, gone, None)
        return gone is not None

    async def all(self) -> tuple[Credential, ...]:
        return tuple(sorted(self._sealed.values(), key=_place))

    def _saw(self, provider: str, before: Credential | None, after: Credential | None) -> None:
        if self._audit is not None:
            self._audit.saw("credential", provider, before, after)


def _place(credential: Credential) -> tuple[str, str]:
    """Those that serve every key stand first."""
    return str(credential.owner or ""), credential.provider


_: type[Credentials] = MemoryCredentials
