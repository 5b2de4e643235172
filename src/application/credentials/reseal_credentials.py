from dataclasses import dataclass

from ...domain.credentials import Credential
from ..ports.credentials import Credentials
from ..ports.seal import CannotOpen, Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Resealed:
    """`unreadable` names, as provider and owner, what no known key opens; it is left as it is."""

    resealed: int
    current: int
    unreadable: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResealCredentials:
    """Open to administrators. Seals everything with the newest encryption key, after which the
    older ones may be forgotten."""

    credentials: Credentials
    seal: Seal

    async def __call__(self) -> Resealed:
        resealed, current, unreadable = 0, 0, []
        for found in await self.credentials.all():
            if self.seal.is_current(found.sealed):
                current += 1
                continue
            try:
                secret = self.seal.open(found.sealed, found.context)
            except CannotOpen:
                unreadable.append(found.context)
                continue
            sealed = self.seal.seal(secret, found.context)
            await self.credentials.put(
                Credential(owner=found.owner, provider=found.provider, sealed=sealed)
            )
            resealed += 1
        return Resealed(resealed=resealed, current=current, unreadable=tuple(unreadable))
