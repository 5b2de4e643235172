from dataclasses import dataclass, replace

from ...domain.errors import InvalidRequest, NotFound
from ...domain.ids import KeyId
from ...domain.keys import compose_secret, digest_of, hint_of
from ..ports.entropy import Entropy
from ..ports.virtual_keys import VirtualKeys
from .issue_virtual_key import SECRET_BYTES, IssuedKey


@dataclass(frozen=True, slots=True)
class RotateVirtualKey:
    """Open to administrators. Gives a key a new secret; its limits, credentials and spend stay.
    The old secret is refused on every node within one second. Raises NotFound, InvalidRequest."""

    keys: VirtualKeys
    entropy: Entropy

    async def __call__(self, key_id: KeyId) -> IssuedKey:
        key = await self.keys.by_id(key_id)
        if key is None:
            raise NotFound("virtual key", str(key_id))
        if key.revoked_at_ns is not None:
            raise InvalidRequest("A revoked key cannot be rotated. Issue a new one.", param="id")
        secret = compose_secret(self.entropy.secret(SECRET_BYTES))
        key = replace(key, digest=digest_of(secret), hint=hint_of(secret))
        await self.keys.put(key)
        return IssuedKey(key=key, secret=secret)
