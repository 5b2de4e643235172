from dataclasses import dataclass

from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ..ports.credentials import Credentials


@dataclass(frozen=True, slots=True)
class RemoveCredential:
    """Open to administrators. Takes effect on every node within one second. Raises NotFound."""

    credentials: Credentials

    async def __call__(self, owner: KeyId | None, provider: str) -> None:
        if not await self.credentials.remove(owner, provider):
            raise NotFound("credential for", provider)
