from dataclasses import dataclass, replace

from ...domain.errors import InvalidRequest
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey, compose_secret, digest_of, hint_of
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
        secret = compose_secret(self.entropy.secret(SECRET_BYTES))

        def rotated(key: VirtualKey) -> VirtualKey:
            if key.revoked_at_ns is not None:
                raise InvalidRequest(
                    "A revoked key cannot be rotated. Issue a new one.", param="id"
                )
            return replace(key, digest=digest_of(secret), hint=hint_of(secret))

        return IssuedKey(key=await self.keys.change(key_id, rotated), secret=secret)
