from collections.abc import Mapping

from ...application.ports.credentials import CredentialLookup, Credentials
from ...domain.credentials import Credential
from ...domain.ids import KeyId
from .answers import Answers

_SIZE = 10_000
_NONE: Mapping[str, Credential] = {}


class CachedCredentials:
    """Each key's own credentials, and those that serve every key, by provider. Still sealed."""

    def __init__(self, store: Credentials, *, size: int = _SIZE) -> None:
        self._store = store
        self._answers: Answers[KeyId | None, Mapping[str, Credential]] = Answers(
            self._load, size=size, nothing=_NONE
        )

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        own = (await self._answers.get(owner)).get(provider)
        if own is not None:
            return own
        return (await self._answers.get(None)).get(provider)

    def forget(self, owner: KeyId | None) -> None:
        self._answers.forget(owner)

    def doubt_all(self) -> None:
        self._answers.doubt_all()

    def __len__(self) -> int:
        return len(self._answers)

    async def _load(self, owner: KeyId | None) -> Mapping[str, Credential]:
        return {found.provider: found for found in await self._store.of(owner)}


_: type[CredentialLookup] = CachedCredentials
