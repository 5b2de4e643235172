from dataclasses import dataclass

from ...domain.errors import CredentialMissing, CredentialUnreadable
from ...domain.ids import KeyId
from ...domain.providers import Provider
from ..ports.credentials import CredentialLookup
from ..ports.seal import CannotOpen, Seal


@dataclass(frozen=True, slots=True)
class OpenCredential:
    """The secret that a provider wants from this key: its own, else the one for every key.

    A credential that is missing or cannot be opened is a failure of that provider: another target
    may answer.
    """

    credentials: CredentialLookup
    seal: Seal

    async def __call__(self, key_id: KeyId, provider: Provider) -> str | None:
        found = await self.credentials.find(key_id, provider.name)
        if found is None:
            if provider.needs_credential:
                raise CredentialMissing(provider.name)
            return None
        try:
            return self.seal.open(found.sealed, found.context)
        except CannotOpen as error:
            raise CredentialUnreadable(provider.name) from error
