from collections.abc import Mapping
from dataclasses import dataclass

from ...domain.credentials import Credential
from ...domain.errors import InvalidRequest, NotFound, Unauthenticated
from ...domain.ids import KeyId
from ...domain.keys import digest_of
from ..ports.catalogues import CatalogueLookup
from ..ports.credentials import Credentials
from ..ports.seal import Seal
from ..ports.virtual_keys import VirtualKeys

_MAX_LENGTH = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveCredentials:
    """Open to administrators. Seals providers' keys: for one virtual key, or for all.

    An empty one leaves what was saved before. Raises InvalidRequest, NotFound, Unauthenticated.
    """

    keys: VirtualKeys
    credentials: Credentials
    catalogues: CatalogueLookup
    seal: Seal

    async def __call__(self, owner: KeyId | None, secrets: Mapping[str, str]) -> list[str]:
        """Takes secrets by the provider's name; tells which providers were saved."""
        if owner is not None and await self.keys.by_id(owner) is None:
            raise NotFound("virtual key", str(owner))
        given = {provider: secret for provider, secret in secrets.items() if secret}
        for provider, secret in given.items():
            self._check(provider, secret)
        for provider, secret in given.items():
            empty = Credential(owner=owner, provider=provider, sealed="")
            sealed = self.seal.seal(secret, empty.context)
            await self.credentials.put(Credential(owner=owner, provider=provider, sealed=sealed))
        return list(given)

    async def for_holder(self, virtual_key: str, secrets: Mapping[str, str]) -> list[str]:
        """The same, for a key that is named by its secret."""
        key = await self.keys.by_digest(digest_of(virtual_key))
        if key is None:
            raise Unauthenticated("The virtual key is not known.")
        return await self(key.id, secrets)

    def _check(self, provider: str, secret: str) -> None:
        if provider not in self.catalogues.current().providers:
            raise NotFound("provider", provider)
        # Goes into a header: a line break or a letter beyond ASCII would break every request.
        if len(secret) > _MAX_LENGTH or not secret.isascii() or not secret.isprintable():
            raise InvalidRequest(
                f"A provider's key has at most {_MAX_LENGTH} printable ASCII characters.",
                param=provider,
            )
