from typing import Protocol

from ...domain.credentials import Credential
from ...domain.ids import KeyId


class CredentialLookup(Protocol):
    """What a request needs: asked on every call, so answered from memory where possible."""

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        """The key's own credential, else the one that serves every key."""
        ...


class Credentials(CredentialLookup, Protocol):
    async def of(self, owner: KeyId | None) -> tuple[Credential, ...]:
        """The key's own only; None: those that serve every key."""
        ...

    async def put(self, credential: Credential) -> None: ...

    async def remove(self, owner: KeyId | None, provider: str) -> bool:
        """Whether there was one."""
        ...

    async def all(self) -> tuple[Credential, ...]: ...
